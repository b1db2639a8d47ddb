#include "infer/region_labels.h"

#include <algorithm>

#include "infer/labelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Shape shape_of(const PictureSource& picture, const Network& network) {
  return {1, network.input_channels(), picture.size().height, picture.size().width};
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
      (reader.empty() ? "the network cannot be run on parts of this picture"
                      : "the network looks at the whole picture at once, by " + reader) +
      ": tiles would not give the whole's result; --stream never segments it whole if memory "
      "allows, --blend PIXELS segments overlapping tiles each for itself and blends them");
}

const ScoreRows& RegionLabels::scores(const PixelRect& rect, bool flipped) {
  const int width = picture_.size().width;
  const RegionPlans::Ready ready = plans_.plan_for(flipped ? mirrored(rect, width) : rect);
  {
    const Image part = picture_.read(flipped ? mirrored(ready.seen, width) : ready.seen);
    to_tensor(part, network_.model().preprocess, ready.plan->input(), 0);
  }
  if (flipped) mirror_rows(ready.plan->input());
  ready.plan->forward();
  return ready.plan->rows("logits");
}

LabelMap RegionLabels::labels(const PixelRect& rect) {
  const PixelRect all{0, 0, rect.height, rect.width};
  LabelMap result(rect.height, rect.width);
  if (!network_.options().flip) {
    label_part(scores(rect, false), all, result);
    return result;
  }
  Probabilities sum(network_.classes(), rect.height, rect.width);
  for (const bool flipped : {false, true}) {
    add_probabilities(scores(rect, flipped), all, 0.5f, flipped, sum);
  }
  return most_probable(sum, network_.model().one_class_head());
}

std::size_t RegionLabels::memory_bytes(const PixelRect& rect) const {
  const PixelRect read = plans_.seen_for(rect);
  const auto seen = static_cast<std::size_t>(read.height) * static_cast<std::size_t>(read.width);
  const auto kept = static_cast<std::size_t>(rect.height) * static_cast<std::size_t>(rect.width);
  const std::size_t pixel =
      sample_bytes(picture_.size().type) * static_cast<std::size_t>(picture_.size().channels);
  const std::size_t probabilities =
      network_.options().flip ? sizeof(float) * static_cast<std::size_t>(network_.classes()) : 0;
  // Labels, their values and their compressed tiles live when the network does not run.
  constexpr std::size_t kLabelBytes = 2 * sizeof(std::uint16_t);
  return plans_.memory_bytes(rect) + seen * pixel + kept * (kLabelBytes + probabilities) +
         picture_.held_bytes(read.height);
}

std::string whole_picture_reader(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const char* what = whole_picture_reader(node.op);
    if (what != nullptr) return std::string(what) + " (\"" + node.name + "\")";
  }
  return "";
}

}  // namespace segmentum
