#include "metrics/detail_intervals.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace segmentum {
namespace {

using Drawn = std::span<const std::uint32_t>;
using Values = std::vector<std::optional<double>>;

}  // namespace

BoundaryIntervals bootstrap(const BoundaryCounts& counts, const BootstrapOptions& options) {
  const std::size_t classes = counts.classes().size();
  const auto intervals = bootstrap_scores(counts.pictures().size(), options, [&](Drawn drawn) {
    const BoundaryScores of = scores(counts, drawn);
    Values values{of.mean_f, of.mean_f_of_pictures};
    for (const BoundaryClassScores& one : of.classes) values.push_back(one.f);
    for (const BoundaryClassScores& one : of.classes) values.push_back(one.f_of_pictures);
    return values;
  });
  const auto first = intervals.begin() + 2, second = first + static_cast<std::ptrdiff_t>(classes);
  return {intervals[0], intervals[1], {first, second}, {second, intervals.end()}};
}

TrimapIntervals bootstrap(const TrimapCounts& counts, const BootstrapOptions& options) {
  const auto intervals = bootstrap_scores(counts.pictures().size(), options, [&](Drawn drawn) {
    Values accuracies, ious;
    for (const TrimapPoint& point : trimap_curve(counts, drawn)) {
      const bool any = point.pixels > 0;
      accuracies.push_back(any ? std::optional(point.pixel_accuracy) : std::nullopt);
      ious.push_back(any ? std::optional(point.mean_iou) : std::nullopt);
    }
    accuracies.insert(accuracies.end(), ious.begin(), ious.end());
    return accuracies;
  });
  const auto middle = intervals.begin() + counts.widest_px();
  return {{intervals.begin(), middle}, {middle, intervals.end()}};
}

CalibrationIntervals bootstrap(const CalibrationCounts& counts, const BootstrapOptions& options) {
  const auto intervals = bootstrap_scores(counts.pictures().size(), options, [&](Drawn drawn) {
    const auto of = scores(counts, drawn);
    if (!of) return Values(2);
    return Values{of->expected_error, of->largest_error};
  });
  return {intervals[0], intervals[1]};
}

}  // namespace segmentum
