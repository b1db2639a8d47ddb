// Where the time of a plan goes, for a person to read.
#pragma once

#include <vector>

#include "engine/executor.h"
#include "graph/analysis.h"
#include "graph/graph.h"

namespace segmentum {

/// Prints three tables: kernels and the `top` slowest steps by falling time, and the speed of every
/// node that multiplies, over all steps of one pass (so with its reorders and biases). `runs` are
/// profiles of one plan; the numbers are medians over them.
void print_profile(const std::vector<std::vector<StepTime>>& runs, const Graph& graph,
                   const Analysis& analysis, int top);

}  // namespace segmentum
