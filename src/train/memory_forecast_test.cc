#include "train/memory_forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

Graph one_convolution() {
  GraphBuilder g("one");
  const ValueId x = g.input("image", {.channels = 1});
  g.output("logits", g.conv("conv", x, {.channels = 2, .kernel = 3, .padding = 1}));
  return std::move(g).build();
}

class MemoryForecastFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(root_ / "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    1000 kB\n");
  }
  TemporaryFolder root_{"memory_forecast"};
};

TEST(MemoryForecast, CountsByHand) {
  TrainConfig config;
  const MemoryForecast forecast =
      forecast_memory(one_convolution(), {2, 1, 10, 10}, config, 3'000'000);
  EXPECT_EQ(forecast.activations, 4u * 2 * (1 + 2) * 100);
  EXPECT_EQ(forecast.weights, 4u * (2 * 9 + 2) * 5);  // value, gradient, mean, square, average
  EXPECT_EQ(forecast.pictures, 3'000'000u);
  config.optimizer.kind = OptimizerKind::sgd;
  config.ema_decay = 0;
  EXPECT_EQ(forecast_memory(one_convolution(), {2, 1, 10, 10}, config, 3'000'000).weights,
            4u * 20 * 3);
}

// Probabilities and slopes of two classes for two pictures of 100 pixels; two terms of pixels have
// a gradient each.
TEST(MemoryForecast, LossesOfRegionsHoldProbabilities) {
  TrainConfig config;
  const auto activations = [&](const char* loss) {
    config.loss = parse_loss(loss);
    return forecast_memory(one_convolution(), {2, 1, 10, 10}, config, 0).activations;
  };
  const std::size_t plain = activations("cross_entropy");
  EXPECT_EQ(activations("cross_entropy+lovasz"), plain + 2u * 4 * 2 * 2 * 100);
  EXPECT_EQ(activations("cross_entropy+focal"), plain + 4u * 2 * 2 * 100);
}

// Two pictures of 100 pixels: 3 iterations of 8 floats each, 4 corners of 8 bytes and a factor;
// 3 corners and a factor that they share.
TEST(MemoryForecast, AMeanFieldKeepsItsIterationsAndLattices) {
  GraphBuilder g("one");
  const ValueId x = g.input("image", {.channels = 1});
  const ValueId scores = g.conv("conv", x, {.channels = 2, .kernel = 3, .padding = 1});
  g.output("logits", g.mean_field("crf", scores, x, {.iterations = 3}));
  EXPECT_EQ(forecast_memory(std::move(g).build(), {2, 1, 10, 10}, {}, 0).activations,
            4u * 2 * (1 + 2 + 2) * 100 + 2u * 100 * (3 * 8 * 4 + 4 * 8 + 4) + 100 * (3 * 8 + 4));
}

TEST(MemoryForecast, FrozenParametersHaveNeitherGradientNorState) {
  const MemoryForecast forecast =
      forecast_memory(one_convolution(), {1, 1, 4, 4}, {}, 0, {"conv.weight"});
  EXPECT_EQ(forecast.weights, 4u * (2 * 9 * 2 + 2 * 5));  // value and average; all five
}

// The picture of 100 pixels and its two channels of logits.
TEST(MemoryForecast, ValidationHoldsOneNodeAtATime) {
  EXPECT_EQ(inference_floor(one_convolution(), {1, 1, 10, 10}), 4u * (100 + 200));
  const MemoryForecast forecast{.activations = 1'000'000'000, .validation = 3'000'000'000};
  EXPECT_EQ(forecast.total(), 4'000'000'000u);
  EXPECT_THAT([&] { require_memory(forecast, {}, 2'000'000'000); },
              ThrowsMessage<Error>(AllOf(HasSubstr("validation 3.0 GB"),
                                         HasSubstr("smaller pictures in the split \"val\""))));
}

TEST(MemoryForecast, OffersWhatWouldFit) {
  TrainConfig config;
  config.batch = 8;
  config.crop = 256;
  const MemoryForecast forecast{.activations = 8'000'000'000, .weights = 1'000'000'000};
  require_memory(forecast, config, 9'000'000'000);
  EXPECT_THAT(
      [&] { require_memory(forecast, config, 3'000'000'000); },
      ThrowsMessage<Error>(AllOf(HasSubstr("needs about 9.0 GB"), HasSubstr("but 3.0 GB are free"),
                                 HasSubstr("batch=2 (with accumulate=4"), HasSubstr("crop=128"))));
}

// A picture of 100 pixels and two channels of logits, twice, are all that must be there at once.
TEST(MemoryForecast, ALeanTrainingHoldsOneNodeAtLeast) {
  TrainConfig config;
  config.memory = TrainMemory::lean;
  const MemoryForecast lean = forecast_memory(one_convolution(), {2, 1, 10, 10}, config, 0);
  EXPECT_EQ(lean.activations, 4u * 2 * (1 + 2) * 100);
  EXPECT_EQ(lean.lean_activations, std::nullopt);
}

TEST(MemoryForecast, RecommendsALeanTrainingWhereThatFits) {
  MemoryForecast forecast{.activations = 8'000'000'000, .lean_activations = 3'000'000'000};
  EXPECT_THAT([&] { require_memory(forecast, {}, 4'000'000'000); },
              ThrowsMessage<Error>(HasSubstr("memory=lean (activations from 3.0 GB")));
  forecast.lean_activations = 5'000'000'000;
  EXPECT_THAT([&] { require_memory(forecast, {}, 4'000'000'000); },
              ThrowsMessage<Error>(Not(HasSubstr("lean"))));
}

TEST_F(MemoryForecastFiles, TakesTheSystemsNumber) {
  EXPECT_EQ(available_memory(root_.path()), 1000u * 1024);
}

TEST_F(MemoryForecastFiles, TakesTheGroupsLimitWhereItIsSmaller) {
  write_file(root_ / "sys/fs/cgroup/memory.max", "500000\n");
  write_file(root_ / "sys/fs/cgroup/memory.current", "300000\n");
  write_file(root_ / "sys/fs/cgroup/memory.stat", "anon 200000\nfile 100000\n");
  EXPECT_EQ(available_memory(root_.path()), 300'000u);  // 500000 - (300000 - 100000)
  write_file(root_ / "sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(available_memory(root_.path()), 1000u * 1024);
}

TEST_F(MemoryForecastFiles, KnowsTheOlderGroups) {
  write_file(root_ / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write_file(root_ / "sys/fs/cgroup/memory/memory.usage_in_bytes", "300000\n");
  EXPECT_EQ(available_memory(root_.path()), 1000u * 1024);
  write_file(root_ / "sys/fs/cgroup/memory/memory.limit_in_bytes", "400000\n");
  EXPECT_EQ(available_memory(root_.path()), 100'000u);
}

TEST(MemoryForecast, SaysNothingWhereTheSystemIsSilent) {
  EXPECT_EQ(available_memory("/nonexistent"), std::nullopt);
}

}  // namespace
}  // namespace segmentum
