#include "train/training_step.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {

TrainingStep::TrainingStep(const Graph& graph, TrainingState& state, const Shape& batch,
                           Executor& executor, const StepOptions& options)
    : graph_(graph), state_(state), options_(options) {
  if (graph.inputs.size() != 1) {
    throw Error("training feeds one picture; the network " + graph.architecture + " has " +
                counted(graph.inputs.size(), "input"));
  }
  const std::array inputs{batch};
  plan_ = executor.plan(graph, state.parameters, inputs,
                        {.mode = Mode::train,
                         .frozen_batch_norm = options.frozen_batch_norm,
                         .frozen = options.frozen,
                         .lean = options.lean});
  clear_gradients(plan_->gradients());
}

std::size_t TrainingStep::activation_bytes() const {
  std::size_t bytes = plan_->memory_bytes();
  for (const auto& [name, gradient] : plan_->gradients()) {
    bytes -= gradient.values().size_bytes();
  }
  return bytes;
}

double TrainingStep::add_batch(ConstTensorView images, const Targets& targets) {
  const TensorView input = plan_->input();
  if (images.shape != input.shape) {
    throw Error("the batch is " + images.shape.to_string() + ", the plan was made for " +
                input.shape.to_string());
  }
  std::ranges::copy(images.values(), input.data);
  // Each batch of each step has dropout masks of its own.
  const auto turn =
      static_cast<std::uint32_t>(state_.position.step * options_.accumulate + batches_);
  plan_->forward({.seed = options_.seed, .step = turn});
  ++batches_;

  double loss = 0;
  for (const Output& output : graph_.outputs) {
    loss += add_output_gradient(output, targets, images.shape);
  }
  if (std::isfinite(loss)) plan_->backward();
  return loss;
}

double TrainingStep::add_output_gradient(const Output& output, const Targets& targets,
                                         const Shape& target_shape) {
  const double weight = output.name == "logits" ? 1.0 : options_.aux_weight;
  const ConstTensorView logits = plan_->output(output.name);
  const TensorView gradient = plan_->output_gradient(output.name);
  const auto scale = static_cast<float>(weight / options_.accumulate);
  const Shape &from = target_shape, &to = logits.shape;
  if (to.h() == from.h() && to.w() == from.w()) {
    return weight * segmentation_loss(logits, targets, options_.loss, gradient, scale).value;
  }
  const std::vector<std::uint16_t> labels =
      resize_nearest(targets.labels, from.n(), from.h(), from.w(), to.h(), to.w());
  std::vector<float> added;
  if (!targets.added_weights.empty()) {
    added = resize_nearest(targets.added_weights, from.n(), from.h(), from.w(), to.h(), to.w());
  }
  const LossResult loss =
      segmentation_loss(logits, {labels, added}, options_.loss, gradient, scale);
  return weight * loss.value;
}

double TrainingStep::update(double lr) {
  Gradients& gradients = plan_->gradients();
  const double norm =
      options_.clip > 0 ? clip_gradients(gradients, options_.clip) : global_norm(gradients);
  if (!std::isfinite(norm)) return norm;
  state_.optimizer.step(state_.parameters, gradients, lr);
  if (state_.average) state_.average->update(state_.parameters);
  clear_gradients(gradients);
  batches_ = 0;
  ++state_.position.step;
  return norm;
}

template <typename T>
std::vector<T> resize_nearest(std::span<const T> values, std::int64_t n, std::int64_t h,
                              std::int64_t w, std::int64_t to_h, std::int64_t to_w) {
  std::vector<T> resized(static_cast<std::size_t>(n * to_h * to_w));
  std::size_t at = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t y = 0; y < to_h; ++y) {
      const std::int64_t row = (i * h + (2 * y + 1) * h / (2 * to_h)) * w;
      for (std::int64_t x = 0; x < to_w; ++x) {
        resized[at++] = values[static_cast<std::size_t>(row + (2 * x + 1) * w / (2 * to_w))];
      }
    }
  }
  return resized;
}

template std::vector<std::uint16_t> resize_nearest(std::span<const std::uint16_t>, std::int64_t,
                                                   std::int64_t, std::int64_t, std::int64_t,
                                                   std::int64_t);
template std::vector<float> resize_nearest(std::span<const float>, std::int64_t, std::int64_t,
                                           std::int64_t, std::int64_t, std::int64_t);

}  // namespace segmentum
