// Where the pixels of a value lie in the picture, so that values can be laid onto one another.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// Pixel i of a value is centred on the position first + i * step of the input, counted in input
/// pixels from the centre of input pixel 0. One axis.
struct PixelGrid {
  double first = 0;
  double step = 1;
};

struct Placement {
  PixelGrid y;
  PixelGrid x;
};

/// The placement of every value, from strides, kernels, dilations, paddings and offsets alone. None
/// where a value has no place of its own (global pooling), or one that depends on the picture's
/// size: a centred crop, a resize that aligns corners or goes to a fraction or another value's
/// size, and what follows from these. A node of several inputs stands where its first input does.
/// O(nodes).
std::vector<std::optional<Placement>> placements(const Graph& graph);

/// The offset of the crop that lays `from` onto `onto`: pixel i of `onto` and pixel i + offset of
/// `from` are centred on one position of the input. For FCN's networks the numbers that the authors
/// give: 19 (32s), 5 and 27 (16s), 5, 9 and 31 (8s).
/// Throws Error naming both where the steps differ, no whole number fits, one of them has no fixed
/// place, or `from` would have to begin before its first pixel.
Size2 aligned_offset(const Graph& graph, ValueId from, ValueId onto);

}  // namespace segmentum
