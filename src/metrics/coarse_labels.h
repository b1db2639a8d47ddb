// What a network could score at best that answers once for every few pixels: Long, Shelhamer and
// Darrell, CVPR 2015, appendix "Upper bounds on IU".
#pragma once

#include <optional>
#include <string>

#include "segmentum/image.h"

namespace segmentum {

/// How one label is chosen for a cell of pixels.
enum class CoarseRule {
  nearest,  // that of the labelled pixel nearest to the cell's centre; the first of equals
  majority  // the most frequent one, the smallest of equals: the most right pixels
};

/// "nearest", "majority"; none for another text.
std::optional<CoarseRule> coarse_rule(const std::string& name);

/// `labels` sampled once for each cell of `factor` x `factor` pixels, counted from the top left
/// corner, and brought back to size by repetition. With factor f, pixel f/2 of a cell is its
/// centre, as in `resize_nearest` by a whole factor. Ignored pixels are never chosen where a cell
/// has labelled ones; a cell without any stays ignored. Throws Error for a factor below 1. O(H*W),
/// and for `nearest` rather less.
LabelMap coarsened(const LabelMap& labels, int factor, CoarseRule rule);

}  // namespace segmentum
