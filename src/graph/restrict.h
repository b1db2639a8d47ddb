// A network cut down to one region of its output: what tiles of huge pictures run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/regions.h"

namespace segmentum {

struct RestrictedGraph {
  Graph graph;            // reads `input` of the picture, gives just the wanted region
  Region input;           // in pixels of the picture
  std::vector<int> form;  // of one graph: where forms are equal, so are the restricted graphs
};

/// The network that makes the region `wanted` of `output` for a picture of shape `picture`, and of
/// every value on the way no more than that needs (`needed_regions`): the same parameters under the
/// same names, explicit paddings at the picture's own borders and none elsewhere, and cuts (op::Pad
/// with negative margins) where a value is read by several. On the engine of `grid` the numbers are
/// those of the whole picture, bit for bit.
/// None where something must see the whole plane (global pooling, group norm, mean field, location
/// grid), or where a resize depends on the picture's size (aligned corners, sizes that do not
/// divide, bilinear ones by no power of two). Throws Error if `wanted` lies outside the output.
/// O(nodes).
std::optional<RestrictedGraph> restricted(const Graph& graph, const Shape& picture,
                                          const std::string& output, const Region& wanted,
                                          const ConvolutionGrid& grid = {});

}  // namespace segmentum
