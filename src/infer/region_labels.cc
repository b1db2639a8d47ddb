#include "infer/region_labels.h"

#include <algorithm>

#include "infer/labelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Shape shape_of(const PictureSource& picture, const Network& network) {
  return {1, network.input_channels(), picture.size().height, picture.size().width};
}

Region region_of(const PixelRect& rect) {
  return {{rect.y, rect.y + rect.height}, {rect.x, rect.x + rect.width}};
}

PixelRect rect_of(const Region& region) {
  return {static_cast<int>(region.y.begin), static_cast<int>(region.x.begin),
          static_cast<int>(region.y.size()), static_cast<int>(region.x.size())};
}

PixelRect mirrored(PixelRect rect, int width) {
  rect.x = width - rect.x - rect.width;
  return rect;
}

/// All of what a plan gives.
Tile whole_tile(const PixelRect& rect) {
  return {{0, rect.height, 0, rect.height}, {0, rect.width, 0, rect.width}};
}

}  // namespace

RegionLabels::RegionLabels(Network& network, PictureSource& picture)
    : network_(network),
      picture_(picture),
      plans_(network.executor(), network.graph(), network.parameters(),
             shape_of(picture, network)) {
  if (plans_.possible()) return;
  const std::string reader = whole_picture_reader(network.graph());
  throw Error(
      "the network looks at the whole picture at once" +
      (reader.empty() ? std::string() : ", by " + reader) +
      ": tiles would not give the whole's result; --stream never segments it whole if memory "
      "allows, --blend PIXELS segments overlapping tiles each for itself and blends them");
}

const ScoreRows& RegionLabels::scores(const PixelRect& rect, bool flipped) {
  const int width = picture_.size().width;
  const RegionPlans::Ready ready =
      plans_.plan_for(region_of(flipped ? mirrored(rect, width) : rect));
  const PixelRect seen = rect_of(ready.seen);
  {
    const Image part = picture_.read(flipped ? mirrored(seen, width) : seen);
    to_tensor(part, network_.model().preprocess, ready.plan->input(), 0);
  }
  if (flipped) mirror_rows(ready.plan->input());
  ready.plan->forward();
  return ready.plan->rows("logits");
}

LabelMap RegionLabels::labels(const PixelRect& rect) {
  const Tile tile = whole_tile(rect);
  LabelMap result(rect.height, rect.width);
  if (!network_.options().flip) {
    label_tile(scores(rect, false), tile, result);
    return result;
  }
  Probabilities sum(network_.classes(), rect.height, rect.width);
  for (const bool flipped : {false, true}) {
    add_probabilities(scores(rect, flipped), tile, 0.5f, flipped, sum);
  }
  return most_probable(sum, network_.model().one_class_head());
}

std::size_t RegionLabels::memory_bytes(const PixelRect& rect) {
  const RestrictedGraph part = plans_.restricted_to(region_of(rect));
  const auto seen = static_cast<std::size_t>(part.input.y.size() * part.input.x.size());
  const auto kept = static_cast<std::size_t>(rect.height) * static_cast<std::size_t>(rect.width);
  const std::size_t pixel =
      sample_bytes(picture_.size().type) * static_cast<std::size_t>(picture_.size().channels);
  const std::size_t probabilities =
      network_.options().flip ? sizeof(float) * static_cast<std::size_t>(network_.classes()) : 0;
  // Labels, their values and their compressed tiles live when the network does not run.
  constexpr std::size_t kLabelBytes = 2 * sizeof(std::uint16_t);
  return plans_.memory_bytes(region_of(rect)) + seen * pixel +
         kept * (kLabelBytes + probabilities) +
         picture_.held_bytes(static_cast<int>(part.input.y.size()));
}

int RegionLabels::around_px() {
  const int height = picture_.size().height, width = picture_.size().width;
  const PixelRect pixel{height / 2, width / 2, 1, 1};
  const RestrictedGraph part = plans_.restricted_to(region_of(pixel));
  return static_cast<int>(std::max(part.input.y.size(), part.input.x.size())) - 1;
}

std::string whole_picture_reader(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const char* what = whole_picture_reader(node.op);
    if (what != nullptr) return std::string(what) + " (\"" + node.name + "\")";
  }
  return "";
}

}  // namespace segmentum
