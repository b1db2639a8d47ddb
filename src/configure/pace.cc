#include "configure/pace.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"
#include "train/checkpoint.h"
#include "train/training_step.h"

namespace segmentum {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostTimed = 3;
constexpr double kMostSeconds = 0.5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Tensor noise(const Shape& shape) {
  Tensor tensor(shape);
  RandomStream random(1, 0, 0);
  for (float& value : tensor.values()) value = static_cast<float>(random.uniform(-1, 1));
  return tensor;
}

}  // namespace

Pace measure_pace(const Graph& graph, int crop, const OptimizerOptions& optimizer,
                  Executor& executor) {
  const Shape shape{1, graph.node(graph.inputs.front()).channels, crop, crop};
  ParameterStore parameters = initialise(graph, 1);
  Optimizer moves(optimizer, parameters, {});
  TrainingState state{std::move(parameters), std::move(moves), std::nullopt, {}};
  TrainingStep step(graph, state, shape, executor, {});
  const Tensor picture = noise(shape);
  const std::vector<std::uint16_t> labels(static_cast<std::size_t>(crop) * crop);
  Pace pace{.crop_seconds = std::numeric_limits<double>::infinity(),
            .update_seconds = std::numeric_limits<double>::infinity()};
  const Clock::time_point start = Clock::now();
  for (int i = 0; i <= kMostTimed && (i <= 1 || seconds_since(start) < kMostSeconds); ++i) {
    const Clock::time_point begin = Clock::now();
    step.add_batch(picture.view(), Targets(labels));
    const double crop_seconds = seconds_since(begin);
    step.update(0);
    if (i == 0) continue;
    pace.crop_seconds = std::min(pace.crop_seconds, crop_seconds);
    pace.update_seconds = std::min(pace.update_seconds, seconds_since(begin) - crop_seconds);
  }
  return pace;
}

}  // namespace segmentum
