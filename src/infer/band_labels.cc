#include "infer/band_labels.h"

#include <algorithm>
#include <future>

#include "base/threads.h"
#include "engine/score_rows.h"

namespace segmentum {
namespace {

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

std::optional<BandLabels> BandLabels::make(Network& network, PictureSource& picture,
                                           Interval columns, int rows,
                                           std::shared_ptr<Workspace> workspace) {
  const Shape shape{1, network.input_channels(), picture.size().height, picture.size().width};
  std::optional<BandPlan> plan =
      BandPlan::make(network.executor(), network.graph(), network.parameters(),
                     network.model().preprocess, shape, columns, rows, std::move(workspace));
  if (!plan) return std::nullopt;
  return BandLabels(picture, *std::move(plan));
}

Image BandLabels::read(std::int64_t band) const {
  const PixelRect seen = plan_.seen(band);
  return seen.height > 0 ? picture_->read(seen) : Image();
}

void BandLabels::walk(const TileGrid& grid, int down, int across, const Visit& visit) {
  PartRows rows(grid.part(down, across));
  const std::int64_t first = rows.part().y / plan_.rows();
  std::int64_t band = plan_.first_run(first);
  const std::launch how = threads() > 1 ? std::launch::async : std::launch::deferred;
  const auto ask = [&](std::int64_t which) {
    return std::async(how, [this, which] { return read(which); });
  };
  for (std::future<Image> next = ask(band);; ++band) {
    const Image seen = next.get();
    next = ask(band + 1);  // its future waits for it where the walk ends
    const ScoreRows& scores = plan_.run(band, seen, false);
    if (band < first) continue;
    for (;;) {
      rows.take(scores, static_cast<int>(band) * plan_.rows());
      if (!rows.complete()) break;
      visit(rows.part(), rows.labels());
      if (++down == grid.count_down()) return;
      rows = PartRows(grid.part(down, across));
    }
  }
}

std::size_t BandLabels::memory_bytes(const TileGrid& grid) const {
  const auto seen = static_cast<std::size_t>(plan_.rows_seen() * plan_.columns_seen());
  const std::size_t pixel =
      sample_bytes(picture_->size().type) * static_cast<std::size_t>(picture_->size().channels);
  constexpr std::size_t kReadAtOnce = 2;
  // Labels, their values and their compressed tiles.
  constexpr std::size_t kLabelBytes = 3 * sizeof(std::uint16_t);
  return plan_.memory_bytes() + kReadAtOnce * seen * pixel +
         static_cast<std::size_t>(grid.rows) * static_cast<std::size_t>(grid.columns) *
             kLabelBytes +
         picture_->held_bytes(static_cast<int>(plan_.rows_seen()));
}

}  // namespace segmentum
