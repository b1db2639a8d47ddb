// The cpu engine against the reference on every case, and its promises about bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"

namespace segmentum {
namespace {

class CpuEngine : public testing::TestWithParam<EngineCase> {};

TEST_P(CpuEngine, TrainsAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.steps = 2});
}

TEST_P(CpuEngine, TrainsWithFrozenBatchNormAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.frozen_batch_norm = true});
}

TEST_P(CpuEngine, InfersAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.mode = Mode::infer});
}

INSTANTIATE_TEST_SUITE_P(Cases, CpuEngine, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

Graph conv_and_relu() {
  GraphBuilder g("conv_and_relu");
  const ValueId image = g.input("image", {.channels = 1});
  g.output("logits", g.relu("relu", g.conv("conv", image, {.channels = 2, .kernel = 3})));
  return std::move(g).build();
}

TEST(CpuProfile, TimesEveryStepOfBothPasses) {
  const Graph graph = conv_and_relu();
  ParameterStore parameters = initialise(graph, 1);
  const auto engine = make_cpu_executor();
  const Shape input{1, 1, 5, 7};
  const auto plan = engine->plan(graph, parameters, {&input, 1}, {.mode = Mode::train});

  int forward_convolutions = 0, backward_convolutions = 0;
  for (const StepTime& step : plan->profile()) {
    EXPECT_GE(step.seconds, 0) << step.kernel;
    EXPECT_FALSE(step.kernel.empty());
    if (step.node != "conv") continue;
    ++(step.pass == Pass::forward ? forward_convolutions : backward_convolutions);
  }
  EXPECT_GE(forward_convolutions, 1);
  EXPECT_GE(backward_convolutions, 1);
  for (const auto& [name, gradient] : plan->gradients()) {
    EXPECT_THAT(gradient.values(), testing::Each(0.0f)) << name;
  }
}

TEST(CpuProfile, HasNoBackwardStepsInInference) {
  const Graph graph = conv_and_relu();
  ParameterStore parameters = initialise(graph, 1);
  const auto engine = make_cpu_executor();
  const Shape input{1, 1, 5, 7};
  const auto plan = engine->plan(graph, parameters, {&input, 1}, {.mode = Mode::infer});

  const std::vector<StepTime> times = plan->profile();
  EXPECT_FALSE(times.empty());
  for (const StepTime& step : times) EXPECT_EQ(step.pass, Pass::forward) << step.kernel;
}

}  // namespace
}  // namespace segmentum
