// One step of a training: batches forward and backward, then the optimizer.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "losses/loss.h"
#include "train/checkpoint.h"

namespace segmentum {

struct StepOptions {
  LossOptions loss;
  double aux_weight = 0.4;  // of the loss of every output but "logits"
  int accumulate = 1;       // calls of `add_batch` before one `update`
  double clip = 0;          // 0: gradients are not clipped
  bool frozen_batch_norm = false;
  std::set<std::string> frozen;  // parameters that are not learnt
  std::uint64_t seed = 0;
  bool lean = false;  // less memory, more time, the same bits
};

/// Holds the plan and the gradients between steps. `graph` must outlive it, `state` must stay where
/// it is.
class TrainingStep {
 public:
  /// `batch`: the shape [N,C,H,W] of the pictures of one batch.
  TrainingStep(const Graph& graph, TrainingState& state, const Shape& batch, Executor& executor,
               const StepOptions& options);

  /// Adds the gradients of one batch: `images` of the plan's shape, `targets` of N*H*W pixels.
  /// Returns the loss: cross entropy at "logits" plus `aux_weight` times that of each other output,
  /// whose targets are brought to its size by nearest neighbour. A loss that is not finite leaves
  /// the gradients alone.
  double add_batch(ConstTensorView images, const Targets& targets);

  /// Clips the gradients, moves weights and their average, clears the gradients and counts the
  /// step. Returns the norm of the gradient before clipping; where that is not finite nothing
  /// moves.
  double update(double lr);

  /// What the plan will hold beside the gradients of parameters; nothing of it is taken before the
  /// first batch.
  std::size_t activation_bytes() const;

 private:
  double add_output_gradient(const Output& output, const Targets& targets,
                             const Shape& target_shape);

  const Graph& graph_;
  TrainingState& state_;
  StepOptions options_;
  std::unique_ptr<Plan> plan_;
  int batches_ = 0;  // added since the last update
};

/// One number a pixel of `n` pictures [h,w], labels or weights, at another size: nearest,
/// half-pixel centred.
template <typename T>
std::vector<T> resize_nearest(std::span<const T> values, std::int64_t n, std::int64_t h,
                              std::int64_t w, std::int64_t to_h, std::int64_t to_w);

}  // namespace segmentum
