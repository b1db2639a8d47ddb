// How long each layer of a network takes, and how long it would at the machine's best.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "graph/analysis.h"
#include "graph/graph.h"
#include "profile/machine.h"

namespace segmentum {

/// All steps of one node in one pass; with it the nodes that they compute on the way
/// (`StepTime::within`), which have no line of their own.
struct LayerTime {
  std::string name, shape, kernels;  // of its output; all kernels, with " + " between
  Pass pass = Pass::forward;
  double seconds = 0;
  double gflop = 0;   // of the layer as written: Winograd's algorithm needs a quarter of it
  double gbytes = 0;  // inputs, output and weights, each once; backward their gradients too

  double fma_share(const MachineBest& best) const { return gflop / seconds / best.fma_gflops; }
  double memory_share(const MachineBest& best) const { return gbytes / seconds / best.gbytes(); }
  /// The roofline: what it takes at the multiply-add peak, or to move its bytes, whichever is more.
  double floor_seconds(const MachineBest& best) const;
};

/// In the order in which they ran. `runs` are profiles of one plan of `graph`, at the sizes of
/// `analysis`: of each step the fastest counts. A backward pass counts the work of two forward
/// ones, whatever it computes again.
std::vector<LayerTime> layer_times(const std::vector<std::vector<StepTime>>& runs,
                                   const Graph& graph, const Analysis& analysis);

/// The sum of them, named "total".
LayerTime total_time(std::span<const LayerTime> layers);
/// What they would take one after the other, each at its floor.
double floor_seconds(std::span<const LayerTime> layers, const MachineBest& best);

/// Steps that ran on reference loops, as "node (kernel)". There should be none.
std::vector<std::string> reference_steps(const std::vector<StepTime>& run);

}  // namespace segmentum
