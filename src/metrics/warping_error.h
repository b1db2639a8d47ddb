// Errors that change what hangs together, where borders that are merely displaced are forgiven.
#pragma once

#include <cstdint>

#include "segmentum/image.h"

namespace segmentum {

struct WarpingError {
  std::int64_t mismatches = 0;  // pixels that no warping brings together
  std::int64_t pixels = 0;      // that are not ignored

  double share() const {
    return pixels > 0 ? static_cast<double>(mismatches) / static_cast<double>(pixels) : 0;
  }
};

/// The warping error of Jain et al., "Boundary learning by optimization with topological
/// constraints", CVPR 2010, one of the ISBI 2012 challenge's scores: the truth is warped towards
/// the prediction by flipping simple points, pixels that change without joining, cutting, making or
/// filling anything; what then still differs are splits, merges, lost and invented cells and holes.
///
/// The variant: labels are binary, `interior` against all else; interior is 4-connected, the rest
/// 8-connected, and beyond the picture lies the rest. Points are flipped at any distance from a
/// true border, but only where the two maps differ: a border that was displaced by more than its
/// width counts. They are visited in the order of rows, then each time a neighbour was flipped,
/// until none is left; another order may leave a few other pixels. Ignored pixels belong to the
/// rest in both maps, are never flipped and count nowhere. The challenge took the least error over
/// all thresholds of a border probability; a label map has one. Throws Error if the sizes differ.
/// O(H*W).
WarpingError warping_error(const LabelMap& prediction, const LabelMap& truth,
                           std::uint16_t interior);

/// Whether a pixel is a simple point, 4-connected: bit i of `neighbours` is set where the
/// neighbour in direction i (east, north-east, north, ... counter-clockwise) is interior. Whether
/// the pixel itself is makes no difference.
bool is_simple_point(unsigned neighbours);

}  // namespace segmentum
