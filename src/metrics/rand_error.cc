#include "metrics/rand_error.h"

#include <vector>

#include "metrics/segments.h"

namespace segmentum {
namespace {

double sum_of_squares(const std::vector<std::int64_t>& sizes) {
  double sum = 0;
  for (const std::int64_t size : sizes) {
    sum += static_cast<double>(size) * static_cast<double>(size);
  }
  return sum;
}

/// Ordered pairs of two different pixels within groups of these sizes.
double pairs(const std::vector<std::int64_t>& sizes) {
  double sum = 0;
  for (const std::int64_t size : sizes) {
    sum += static_cast<double>(size) * static_cast<double>(size - 1);
  }
  return sum;
}

}  // namespace

RandPairs& RandPairs::operator+=(const RandPairs& other) {
  joint += other.joint;
  predicted += other.predicted;
  truth += other.truth;
  return *this;
}

RandScores RandPairs::scores() const {
  const double f_score = 2 * joint / (predicted + truth);
  return {joint / predicted, joint / truth, f_score, 1 - f_score};
}

RandPairs rand_pairs(const SegmentOverlaps& overlaps) {
  return {sum_of_squares(overlaps.common), sum_of_squares(overlaps.predicted),
          sum_of_squares(overlaps.truth)};
}

std::optional<RandScores> rand_scores(const LabelMap& prediction, const LabelMap& truth,
                                      std::uint16_t interior) {
  const SegmentOverlaps counts =
      segment_overlaps(segments_of(prediction, truth, interior),
                       segments_of(truth, truth, interior), Gap::own_segments);
  if (counts.pixels == 0) return std::nullopt;
  return rand_pairs(counts).scores();
}

std::optional<RandScores> adapted_rand(const SegmentOverlaps& overlaps) {
  if (overlaps.pixels == 0) return std::nullopt;
  const double joint = pairs(overlaps.common);
  const double merged = pairs(overlaps.predicted), split = pairs(overlaps.truth);
  // Without any pair in a segment there is nothing to join or to cut wrongly.
  const auto share = [&](double whole) { return whole > 0 ? joint / whole : 1; };
  const double f_score = merged + split > 0 ? 2 * joint / (merged + split) : 1;
  return RandScores{share(merged), share(split), f_score, 1 - f_score};
}

}  // namespace segmentum
