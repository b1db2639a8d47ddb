// A moving average of the weights: steadier than the weights of any single step.
#pragma once

#include <cstdint>

#include "graph/parameter_store.h"

namespace segmentum {

/// average += (1 - d) * (value - average) for every parameter, running statistics included, with
/// d = min(decay, (1 + t) / (10 + t)) at update t, so that the random start fades at once.
/// (Polyak averaging; the warm-up is TensorFlow's ExponentialMovingAverage.)
class WeightAverage {
 public:
  /// Starts at `parameters`. Throws Error unless 0 <= decay < 1.
  WeightAverage(const ParameterStore& parameters, double decay);

  void update(const ParameterStore& parameters);

  ParameterStore& parameters() { return average_; }
  const ParameterStore& parameters() const { return average_; }
  std::int64_t updates() const { return updates_; }
  /// Continues from a checkpoint; copies into the tensors that are there.
  void restore(const ParameterStore& average, std::int64_t updates);

 private:
  double decay_;
  ParameterStore average_;
  std::int64_t updates_ = 0;
};

}  // namespace segmentum
