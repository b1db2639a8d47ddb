// Cells that hang together in a label map, and how those of two maps overlap: what the scores of
// told-apart cells are counted from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

inline constexpr std::int32_t kNoSegment = -1;

/// For each pixel, row by row, the number of its segment, or kNoSegment: the 4-connected components
/// of `interior` in `labels`, without the pixels that `truth` ignores (they cut segments too).
/// Throws Error if the sizes differ. O(H*W).
std::vector<std::int32_t> segments_of(const LabelMap& labels, const LabelMap& truth,
                                      std::uint16_t interior);

/// What a pixel is that lies in a true segment and in no predicted one.
enum class Gap : std::uint8_t {
  own_segments,  // each a segment of its own: a thick predicted border costs
  one_segment,   // all of them together are one more predicted segment
};

/// Sizes in pixels, counted over the pixels of true segments alone, in no order that means
/// anything.
struct SegmentOverlaps {
  std::vector<std::int64_t> common;     // n_ij: of predicted segment i and true segment j, if > 0
  std::vector<std::int64_t> predicted;  // a_i, the sum of n_ij over j
  std::vector<std::int64_t> truth;      // b_j, the sum of n_ij over i
  std::int64_t pixels = 0;              // of all
};

/// `predicted` and `truth`: a segment of each pixel, or kNoSegment. O(n log n).
SegmentOverlaps segment_overlaps(std::span<const std::int32_t> predicted,
                                 std::span<const std::int32_t> truth, Gap gap);

}  // namespace segmentum
