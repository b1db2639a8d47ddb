#include "metrics/variation_of_information.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace segmentum {
namespace {

double sum_of_n_log_n(const std::vector<std::int64_t>& sizes) {
  double sum = 0;
  for (const std::int64_t size : sizes) {
    const auto n = static_cast<double>(size);
    sum += n * std::log2(n);
  }
  return sum;
}

}  // namespace

std::optional<VariationOfInformation> variation_of_information(const SegmentOverlaps& overlaps) {
  if (overlaps.pixels == 0) return std::nullopt;
  const double common = sum_of_n_log_n(overlaps.common);
  const auto bits = [&](const std::vector<std::int64_t>& sizes) {
    const double rest = sum_of_n_log_n(sizes) - common;  // rounding may leave less than nothing
    return std::max(0.0, rest / static_cast<double>(overlaps.pixels));
  };
  return VariationOfInformation{bits(overlaps.truth), bits(overlaps.predicted)};
}

std::optional<double> information_f_score(const SegmentOverlaps& overlaps) {
  if (overlaps.pixels == 0) return std::nullopt;
  const auto n = static_cast<double>(overlaps.pixels);
  const auto entropy = [&](const std::vector<std::int64_t>& sizes) {
    return std::max(0.0, std::log2(n) - sum_of_n_log_n(sizes) / n);
  };
  const double both = entropy(overlaps.predicted) + entropy(overlaps.truth);
  if (both < 1e-12) return 1;  // nothing but rounding
  return std::max(0.0, 2 * (both - entropy(overlaps.common)) / both);
}

}  // namespace segmentum
