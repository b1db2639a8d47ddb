// The first steps of a training are PyTorch's: tests/golden/make_training_goldens.py wrote what is
// expected, and makes the same weights, pictures and labels from `uniform`.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/threads.h"
#include "models/registry.h"
#include "train/tiny_dataset.h"
#include "train/training_step.h"

namespace segmentum {
namespace {

constexpr std::int64_t kPictures = 2, kSize = 32, kClasses = 3, kBatches = 2;
constexpr std::size_t kSteps = 20;
constexpr std::uint32_t kImageStream = 1000, kIgnoreStream = 2000;

/// Number `index` of a stream, in [0, 1).
double uniform(std::uint32_t stream, std::int64_t index) {
  std::uint32_t x = stream * 0x9E3779B1u + static_cast<std::uint32_t>(index) * 0x85EBCA6Bu + 1;
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  x ^= x >> 16;
  return x * 0x1p-32;
}

/// `norm_bias`: around which the biases of batch norms lie.
ParameterStore golden_parameters(const Graph& graph, double norm_bias) {
  ParameterStore store = initialise(graph, 0);
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    const ParameterSpec& spec = graph.parameters[i];
    if (!is_trainable(spec.role)) continue;
    double spread = spec.role == ParameterRole::norm_weight ? 0.2 : 0.1;
    if (spec.role == ParameterRole::weight) {
      spread = std::sqrt(6.0 / static_cast<double>(spec.shape.count() / spec.shape[0]));
    }
    double centre = spec.role == ParameterRole::norm_weight ? 1 : 0;
    if (spec.role == ParameterRole::norm_bias) centre = norm_bias;
    Tensor& value = store.change(spec.name);
    for (std::int64_t j = 0; j < spec.shape.count(); ++j) {
      value.data()[j] =
          static_cast<float>(centre + spread * (2 * uniform(static_cast<std::uint32_t>(i), j) - 1));
    }
  }
  return store;
}

struct GoldenBatch {
  Tensor images{{kPictures, 3, kSize, kSize}};
  std::vector<std::uint16_t> labels;
};

GoldenBatch golden_batch(std::uint32_t index) {
  GoldenBatch batch;
  for (std::int64_t n = 0; n < kPictures; ++n) {
    for (std::int64_t y = 0; y < kSize; ++y) {
      for (std::int64_t x = 0; x < kSize; ++x) {
        const std::int64_t label = (y / 8 + x / 8 + n + index) % kClasses;
        for (std::int64_t c = 0; c < 3; ++c) {
          const std::int64_t at = ((n * 3 + c) * kSize + y) * kSize + x;
          batch.images.data()[at] =
              static_cast<float>(3 * uniform(kImageStream + index, at) - 1.5 + 0.5 * label);
        }
        const auto pixel = static_cast<std::int64_t>(batch.labels.size());
        const bool ignored = uniform(kIgnoreStream + index, pixel) < 0.0625;
        batch.labels.push_back(ignored ? kIgnoreLabel : static_cast<std::uint16_t>(label));
      }
    }
  }
  return batch;
}

struct GoldenCase {
  const char* name;
  OptimizerOptions optimizer;
  double lr;
  int width = 4;
  double norm_bias = 0;
};

const OptimizerOptions kAdamw{
    .kind = OptimizerKind::adamw, .weight_decay = 0.01, .decay_all = true};

/// From 16 channels to 16 on, 3x3 convolutions and both their gradients are Winograd's on the cpu
/// engine. The bias keeps values away from zero, where rounding would decide whether a ReLU passes
/// a gradient: without it PyTorch's own losses in float and in double differ by 5e-4.
const GoldenCase kWide{"adamw_wide", kAdamw, 5e-3, 16, 3};

const GoldenCase kCases[] = {
    {"sgd",
     {.kind = OptimizerKind::sgd, .weight_decay = 1e-3, .decay_all = true, .momentum = 0.9},
     0.05},
    {"nesterov",
     {.kind = OptimizerKind::sgd, .weight_decay = 0, .momentum = 0.9, .nesterov = true},
     0.05},
    {"adamw", kAdamw, 5e-3},
    kWide};

struct Trained {
  std::vector<double> losses;
  std::size_t activation_bytes = 0;
};

Trained train(Executor& executor, const GoldenCase& golden, bool lean) {
  set_threads(1);  // more of them take longer on pictures this small
  const Graph graph =
      build_model("unet", {.input_channels = 3,
                           .classes = kClasses,
                           .settings = {{"width", std::to_string(golden.width)}, {"depth", "2"}}});
  ParameterStore parameters = golden_parameters(graph, golden.norm_bias);
  Optimizer optimizer(golden.optimizer, parameters);
  TrainingState state{std::move(parameters), std::move(optimizer), std::nullopt, {}};
  TrainingStep step(graph, state, {kPictures, 3, kSize, kSize}, executor,
                    {.loss = {.class_weights = {0.5f, 1.0f, 2.0f}}, .lean = lean});
  const GoldenBatch batches[kBatches] = {golden_batch(0), golden_batch(1)};
  Trained trained{.activation_bytes = step.activation_bytes()};
  for (std::size_t i = 0; i < kSteps; ++i) {
    const GoldenBatch& batch = batches[i % kBatches];
    trained.losses.push_back(step.add_batch(batch.images.view(), batch.labels));
    step.update(golden.lr);
  }
  return trained;
}

std::vector<double> losses_of_pytorch(const GoldenCase& golden) {
  std::ifstream file(SEGMENTUM_SOURCE_DIR "/tests/golden/training.json");
  return nlohmann::json::parse(file).at(golden.name).get<std::vector<double>>();
}

void expect_near(const std::vector<double>& losses, const std::vector<double>& expected) {
  ASSERT_EQ(expected.size(), kSteps);
  ASSERT_EQ(losses.size(), kSteps);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // Float sums in another order, fed back twenty times.
    EXPECT_NEAR(losses[i], expected[i], 1e-4 * expected[i]) << "step " << i;
  }
}

class TrainingGolden : public testing::TestWithParam<std::tuple<TestEngine, GoldenCase>> {};

TEST_P(TrainingGolden, FirstTwentyLossesAreThoseOfPyTorch) {
  const auto& [engine, golden] = GetParam();
  expect_near(train(*engine.make(), golden, false).losses, losses_of_pytorch(golden));
}

TEST(LeanTrainingGolden, TheSameLossesWithLessMemory) {
  const auto executor = make_cpu_executor();
  const Trained whole = train(*executor, kWide, false);
  const Trained lean = train(*executor, kWide, true);
  expect_near(lean.losses, losses_of_pytorch(kWide));
  EXPECT_EQ(lean.losses, whole.losses);
  EXPECT_LT(lean.activation_bytes, whole.activation_bytes);
}

INSTANTIATE_TEST_SUITE_P(Engines, TrainingGolden,
                         testing::Combine(testing::ValuesIn(kTestEngines),
                                          testing::ValuesIn(kCases)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) + "_" +
                                  std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace segmentum
