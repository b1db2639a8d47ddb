// How far every pixel is from a set of pixels: exact Euclidean distances.
#pragma once

#include <span>

namespace segmentum {

/// Replaces grid [height, width] by its squared distance transform:
///   d(p) = min over pixels q of (|p - q|^2 + grid(q)),
/// the squared distance to the nearest pixel of a set where grid is 0 in it and infinite
/// elsewhere; infinite where the set is empty. Exact for whole numbers. O(height * width).
/// Felzenszwalb and Huttenlocher, Theory of Computing 2012.
void squared_distance_transform(std::span<double> grid, int height, int width);

}  // namespace segmentum
