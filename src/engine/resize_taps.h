// Which source pixels a resized pixel is made of: one rule for every engine.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/operators.h"

namespace segmentum {

/// result = source[first] * (1 - weight) + source[second] * weight
struct ResizeTap {
  std::int64_t first = 0;
  std::int64_t second = 0;
  float weight = 0;
};

/// The taps of one axis. Bilinear as PyTorch's interpolate: half-pixel centres clamped at 0, or
/// aligned corners. Nearest: floor((i + 0.5) * in/out) in whole numbers.
std::vector<ResizeTap> resize_taps(std::int64_t in, std::int64_t out, Interpolation mode,
                                   bool align_corners);

}  // namespace segmentum
