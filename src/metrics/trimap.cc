#include "metrics/trimap.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/threads.h"
#include "image/distance_transform.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Squared distance of each pixel to the nearest one that touches a border.
std::vector<double> squared_distances(const LabelMap& truth) {
  const int height = truth.height(), width = truth.width();
  std::vector<double> grid(static_cast<std::size_t>(height) * width,
                           std::numeric_limits<double>::infinity());
  parallel_for(height, [&](std::int64_t i) {
    const int y = static_cast<int>(i);
    for (int x = 0; x < width; ++x) {
      const std::uint16_t label = truth(y, x);
      const bool touches =
          (y > 0 && truth(y - 1, x) != label) || (y + 1 < height && truth(y + 1, x) != label) ||
          (x > 0 && truth(y, x - 1) != label) || (x + 1 < width && truth(y, x + 1) != label);
      if (touches) grid[static_cast<std::size_t>(y) * width + x] = 0;
    }
  });
  squared_distance_transform(grid, height, width);
  return grid;
}

/// Counts of each class in each ring.
using Rings = std::vector<std::vector<ClassCounts>>;

TrimapPoint point_of(int width_px, const Scores& of_band) {
  return {width_px, of_band.pixels, of_band.pixel_accuracy, of_band.mean_iou};
}

}  // namespace

TrimapCounts::TrimapCounts(int classes, int widest_px) {
  if (widest_px < 1) throw Error(fmt::format("a trimap of {} px; expected 1 or more", widest_px));
  rings_.assign(static_cast<std::size_t>(widest_px), ConfusionMatrix(classes));
}

void TrimapCounts::add(const LabelMap& prediction, const LabelMap& truth) {
  require_comparable(prediction, truth, rings_.front().classes());
  const std::vector<double> distances = squared_distances(truth);
  const double widest = widest_px();
  Rings counts(rings_.size(), std::vector<ClassCounts>(static_cast<std::size_t>(classes())));
  std::size_t at = 0;
  for (int y = 0; y < truth.height(); ++y) {
    for (int x = 0; x < truth.width(); ++x, ++at) {
      if (truth(y, x) == kIgnoreLabel || distances[at] >= widest * widest) continue;
      const auto ring = static_cast<std::size_t>(std::sqrt(distances[at]));
      const std::uint16_t is = truth(y, x), said = prediction(y, x);
      rings_[ring].add(is, said, 1);
      ++counts[ring][is].truth;
      ++counts[ring][said].predicted;
      counts[ring][is].right += is == said;
    }
  }
  pictures_.emplace_back();
  for (std::size_t ring = 0; ring < counts.size(); ++ring) {
    for (std::size_t k = 0; k < counts[ring].size(); ++k) {
      if (counts[ring][k] == ClassCounts{}) continue;
      pictures_.back().push_back(
          {static_cast<int>(ring) + 1, static_cast<int>(k), counts[ring][k]});
    }
  }
}

TrimapCounts& TrimapCounts::operator+=(const TrimapCounts& other) {
  if (other.widest_px() != widest_px()) {
    throw Error(fmt::format("trimaps of up to {} and {} px cannot be added", widest_px(),
                            other.widest_px()));
  }
  for (std::size_t i = 0; i < rings_.size(); ++i) rings_[i] += other.rings_[i];
  const std::vector<std::vector<RingCounts>> more = other.pictures_;  // other may be this
  pictures_.insert(pictures_.end(), more.begin(), more.end());
  return *this;
}

ConfusionMatrix TrimapCounts::band(int width_px) const {
  if (width_px < 1 || width_px > widest_px()) {
    throw Error(
        fmt::format("a trimap of {} px was not counted; there are 1..{}", width_px, widest_px()));
  }
  ConfusionMatrix sum(rings_.front().classes());
  for (int i = 0; i < width_px; ++i) sum += rings_[static_cast<std::size_t>(i)];
  return sum;
}

std::vector<TrimapPoint> trimap_curve(const TrimapCounts& counts) {
  std::vector<TrimapPoint> curve;
  for (int width = 1; width <= counts.widest_px(); ++width) {
    curve.push_back(point_of(width, scores(counts.band(width))));
  }
  return curve;
}

std::vector<TrimapPoint> trimap_curve(const TrimapCounts& counts,
                                      std::span<const std::uint32_t> pictures) {
  const auto classes = static_cast<std::size_t>(counts.classes());
  Rings rings(static_cast<std::size_t>(counts.widest_px()), std::vector<ClassCounts>(classes));
  for (const std::uint32_t i : pictures) {
    for (const TrimapCounts::RingCounts& of_class : counts.pictures().at(i)) {
      rings[static_cast<std::size_t>(of_class.width_px) - 1]
           [static_cast<std::size_t>(of_class.label)] += of_class.counts;
    }
  }
  std::vector<TrimapPoint> curve;
  std::vector<ClassCounts> band(classes);
  for (const std::vector<ClassCounts>& ring : rings) {
    for (std::size_t k = 0; k < classes; ++k) band[k] += ring[k];
    curve.push_back(point_of(static_cast<int>(curve.size()) + 1, scores(band)));
  }
  return curve;
}

}  // namespace segmentum
