// How far each layer of a network is from what the machine can do, for a person to read.
#pragma once

#include <vector>

#include "bench/machine.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "graph/graph.h"

namespace segmentum {

/// Prints a line for each layer and pass: time, GFLOP, GB (inputs, output and weights, each once;
/// backward their gradients too), the shares of the machine's best, kernels. Then the layers that
/// reach a quarter of neither, and the steps that ran on reference loops; returns how many those
/// are. `runs` are profiles of one plan: of each step the fastest counts.
int print_layers(const std::vector<std::vector<StepTime>>& runs, const Graph& graph,
                 const Analysis& analysis, const MachineBest& best);

}  // namespace segmentum
