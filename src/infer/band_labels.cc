#include "infer/band_labels.h"

#include <algorithm>
#include <cstring>
#include <future>

#include "base/threads.h"
#include "engine/mirror.h"
#include "engine/score_rows.h"
#include "infer/labelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::optional<BandedGraph> bands_of(Network& network, const PictureSource& picture,
                                    Interval columns, int rows) {
  const Shape shape{1, network.input_channels(), picture.size().height, picture.size().width};
  return in_bands(network.graph(), shape, "logits", columns, rows, network.executor().grid());
}

void copy_row(const Image& from, int from_row, Image& to, int to_row) {
  std::memcpy(to.row<std::byte>(to_row), from.row<std::byte>(from_row), to.row_bytes());
}

/// Rows of labels until they are a part.
class PartRows {
 public:
  explicit PartRows(const PixelRect& part) : part_(part), labels_(part.height, part.width) {}

  bool complete() const { return filled_ == part_.height; }
  const PixelRect& part() const { return part_; }
  const LabelMap& labels() const { return labels_; }

  /// Of rows `first` on what is the part's.
  void take(const ScoreRows& scores, int first) {
    const int end =
        std::min<int>(first + static_cast<int>(scores.shape().h()), part_.y + part_.height);
    const int begin = part_.y + filled_;
    if (end <= begin) return;
    parallel_for(end - begin, [&](std::int64_t i) {
      const int y = begin + static_cast<int>(i);
      scores.labels(0, y - first, {0, part_.width}, labels_.row(y - part_.y));
    });
    filled_ = end - part_.y;
  }

 private:
  PixelRect part_;
  LabelMap labels_;
  int filled_ = 0;
};

}  // namespace

int BandLabels::band_unit(Network& network) {
  const std::int64_t unit =
      segmentum::band_unit(network.graph(), "logits", network.executor().grid());
  constexpr std::int64_t kLargestUnit = 1 << 12;
  return unit > kLargestUnit ? 0 : static_cast<int>(unit);
}

bool BandLabels::possible(Network& network, const PictureSource& picture, Interval columns,
                          int rows) {
  return bands_of(network, picture, columns, rows).has_value();
}

BandLabels::BandLabels(Network& network, PictureSource& picture, Interval columns, int rows,
                       std::shared_ptr<Workspace> workspace)
    : network_(network),
      picture_(picture),
      bands_(bands_of(network, picture, columns, rows).value()) {
  const Shape input{1, network.input_channels(), bands_.input.y.size(), bands_.input.x.size()};
  plan_ = network.executor().plan(
      bands_.graph, network.parameters(), {&input, 1},
      {.outputs = OutputForm::rows, .workspace = std::move(workspace), .carried = bands_.carried});
}

/// The rows of the picture that a band reads, mirrored ones below it included. Those that are
/// not there are left as they are; none at all are.
Image BandLabels::read(std::int64_t band) const {
  const int first = static_cast<int>(bands_.input.y.begin + band * bands_.rows);
  const int rows = static_cast<int>(bands_.input.y.size());
  const int height = picture_.size().height;
  const int end = std::min(first + rows, height + static_cast<int>(bands_.mirrored));
  int least = height, last = -1;
  for (int y = std::max(first, 0); y < end; ++y) {
    const int at = static_cast<int>(mirror_index(y, height));
    least = std::min(least, at);
    last = std::max(last, at);
  }
  const int x = static_cast<int>(bands_.input.x.begin);
  const int width = static_cast<int>(bands_.input.x.size());
  if (last < least) return {};
  Image there = picture_.read({least, x, last - least + 1, width});
  if (least == first && there.height() == rows) return there;
  Image seen(rows, width, there.channels(), there.type());
  for (int y = std::max(first, 0); y < end; ++y) {
    copy_row(there, static_cast<int>(mirror_index(y, height)) - least, seen, y - first);
  }
  return seen;
}

void BandLabels::run(std::int64_t band, const Image& seen) {
  const TensorView input = plan_->input();
  if (seen.height() > 0) to_tensor(seen, network_.model().preprocess, input, 0);
  const std::int64_t first = bands_.input.y.begin + band * bands_.rows;
  for (std::int64_t y = 0; y < input.shape.h(); ++y) {
    if (first + y >= 0 && first + y < bands_.height + bands_.mirrored) continue;
    for (std::int64_t c = 0; c < input.shape.c(); ++c) {
      std::fill_n(&input(0, c, y, 0), input.shape.w(), 0.0f);
    }
  }
  plan_->forward({.band = band});
}

void BandLabels::walk(const TileGrid& grid, int down, int across, const Visit& visit) {
  PartRows rows(grid.part(down, across));
  const std::int64_t first = rows.part().y / bands_.rows;
  std::int64_t band = first - bands_.before_band(first);
  const std::launch how = threads() > 1 ? std::launch::async : std::launch::deferred;
  const auto ask = [&](std::int64_t which) {
    return std::async(how, [this, which] { return read(which); });
  };
  for (std::future<Image> next = ask(band);; ++band) {
    const Image seen = next.get();
    next = ask(band + 1);  // its future waits for it where a visit ends the walk
    run(band, seen);
    if (band < first) continue;
    const ScoreRows& scores = plan_->rows("logits");
    for (;;) {
      rows.take(scores, static_cast<int>(band * bands_.rows));
      if (!rows.complete()) break;
      if (!visit(rows.part(), rows.labels()) || ++down == grid.count_down()) return;
      rows = PartRows(grid.part(down, across));
    }
  }
}

std::size_t BandLabels::memory_bytes(const TileGrid& grid) const {
  const auto seen = static_cast<std::size_t>(bands_.input.y.size() * bands_.input.x.size());
  const std::size_t pixel =
      sample_bytes(picture_.size().type) * static_cast<std::size_t>(picture_.size().channels);
  constexpr std::size_t kReadAtOnce = 2;
  // Labels, their values and their compressed tiles.
  constexpr std::size_t kLabelBytes = 3 * sizeof(std::uint16_t);
  return plan_->memory_bytes() + kReadAtOnce * seen * pixel +
         static_cast<std::size_t>(grid.rows) * static_cast<std::size_t>(grid.columns) *
             kLabelBytes +
         picture_.held_bytes(static_cast<int>(bands_.input.y.size()));
}

std::int64_t BandLabels::pixels_read() const {
  return (bands_.height + bands_.before_first * bands_.rows) * bands_.input.x.size();
}

}  // namespace segmentum
