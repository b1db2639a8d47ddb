// Holds an engine to the reference: same graph, same random numbers, forward and backward.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace segmentum {

struct CrossCheck {
  Mode mode = Mode::train;  // train: values, running statistics, all gradients; infer: values
  bool frozen_batch_norm = false;
  std::set<std::string> frozen;  // parameters, as in PlanOptions
  std::uint64_t seed = 1;        // of parameters, inputs, output gradients and dropout
  int steps = 1;  // forward and backward passes on one plan: more than one finds stale state
  /// Largest |difference| / max|reference| of an output. A float sum of n random terms is off by
  /// about sqrt(n) * 6e-8; layers add up.
  double value_tolerance = 2e-5;
  /// The same for gradients, whose sums run over whole planes and batches. The range of a tensor
  /// counts as at least a tenth of the largest of all gradients: a bias before a batch norm has the
  /// exact gradient 0 and only rounding to compare.
  double gradient_tolerance = 1e-4;
};

/// Parameters with every number in use: norm weights near 1, positive running variances, weights
/// that keep values near unit size.
ParameterStore random_parameters(const Graph& graph, std::uint64_t seed);

/// Fails the running GoogleTest test where `engine` and the reference (in double) differ on inputs
/// drawn from N(0,1): outputs, and in train mode parameter gradients, input gradients and running
/// statistics. Names the first node that differs.
void expect_engines_agree(Executor& engine, const Graph& graph, const std::vector<Shape>& inputs,
                          const CrossCheck& check = {});

}  // namespace segmentum
