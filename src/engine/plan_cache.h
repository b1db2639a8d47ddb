// Inference plans for the sizes of pictures that came last: most data sets repeat a few sizes.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/executor.h"

namespace segmentum {

/// Keeps a handful of inference plans, their outputs read as rows, within a memory limit; the one
/// used longest ago goes first. Not thread-safe. What it is made of must outlive it.
class PlanCache {
 public:
  PlanCache(Executor& executor, const Graph& graph, ParameterStore& parameters,
            std::size_t memory_limit_bytes);

  /// The plan for an input of this shape, made if need be; valid until the next call.
  /// Throws Error if the network rejects the shape.
  Plan& plan_for(const Shape& input);
  /// Gives up all plans and their memory.
  void clear() { entries_.clear(); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Shape input;
    std::unique_ptr<Plan> plan;
  };
  void make_room_for(const Shape& input);

  Executor& executor_;
  const Graph& graph_;
  ParameterStore& parameters_;
  std::size_t memory_limit_bytes_;
  std::vector<Entry> entries_;  // the one used last at the end
};

}  // namespace segmentum
