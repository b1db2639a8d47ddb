// Where engines that compute results in groups of pixels begin a group, so that parts of a picture
// read little more than they see.
#pragma once

#include "graph/graph.h"
#include "graph/regions.h"

namespace segmentum {

/// The graph with `op::Conv::phase` of each convolution of `grid` that may be run on parts. A part
/// needs whole groups of every value, and the pixels around them of the value before. Where all
/// groups begin at a value's first pixel, each layer widens that to both sides by a group. Here the
/// groups of a layer begin one pixel earlier where that is where its readers' need begins, for a
/// part that starts at a multiple of all strides and groups: half of the layers then add what they
/// look at and no more. All parts, and the whole picture, are run on the graph that this gives. The
/// same function; rounding differs. O(nodes).
Graph with_group_phases(Graph graph, const ConvolutionGrid& grid);

}  // namespace segmentum
