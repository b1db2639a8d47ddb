// What can be said of a network without running it: sizes, cost, what a pixel sees, how to tile.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// A positive rational number in lowest terms.
struct Ratio {
  std::int64_t over = 1;
  std::int64_t under = 1;
  bool operator==(const Ratio&) const = default;
};

/// Input pixels from one pixel of a value to the next: 32/1 after five poolings, 1/2 after a
/// two-fold magnification of the input.
struct OutputStride {
  Ratio y;
  Ratio x;
  bool operator==(const OutputStride&) const = default;
};

struct NodeAnalysis {
  Shape shape;                     // of the value it makes
  std::int64_t parameters = 0;     // learnt numbers first used here; no running statistics
  std::int64_t multiply_adds = 0;  // of convolutions of both kinds, biases not counted; else 0
  std::optional<OutputStride> output_stride;  // none where the value has no pixels left (global)
  /// Height and width of the input region that one pixel far from the borders depends on, the
  /// largest over all phases; none where it is the whole picture.
  std::optional<Size2> receptive_field;
};

struct Analysis {
  std::vector<NodeAnalysis> nodes;  // as in the graph
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // for all images of the batch

  /// How far the outputs look beyond themselves: output pixel i of stride s stands for the input
  /// pixels [i*s, (i+1)*s) and depends on no more than [i*s - top, (i+1)*s + bottom), and in width
  /// likewise. None where no such number exists: it sees the whole picture (global pooling, group
  /// norm, mean field), or a resize whose phase depends on the picture's size (align_corners;
  /// resize_like between sizes that do not divide), or classifiers by location (location_grid).
  std::optional<Padding> tile_halo;

  /// A picture cut into tiles gives the same numbers as a whole where every tile starts and ends
  /// (or ends with the picture) at multiples of this, and is read with at least `tile_halo` around
  /// it, rounded up to such a multiple. The least common multiple of all strides and of what
  /// pad-to-multiple asks for.
  Size2 tile_multiple;
};

/// For these input shapes, one for each input. Costs are for these shapes; strides, receptive
/// fields and tiles do not depend on them. With several inputs, all are taken to have one size.
/// Receptive fields beyond half a million pixels count as the whole picture. Throws Error where
/// sizes cannot work. O(nodes^2 * tile_multiple).
Analysis analyse(const Graph& graph, std::span<const Shape> inputs);

/// The output stride of every value. Throws Error where one is beyond all sense (over 2^30).
std::vector<std::optional<OutputStride>> output_strides(const Graph& graph);

/// Multiply-adds of one node for these input and output shapes; the largest int64 if there are
/// more.
std::int64_t multiply_adds(const Node& node, const Shape& in, const Shape& out);

}  // namespace segmentum
