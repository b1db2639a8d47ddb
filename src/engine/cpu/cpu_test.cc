// The cpu engine against the reference on every case, and its promises about bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
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

// Whole layers near the input, and single parameters of layers of which others are learnt.
TEST_P(CpuEngine, TrainsWithFrozenParametersAsTheReference) {
  const std::vector<ParameterSpec>& specs = GetParam().graph.parameters;
  std::set<std::string> first_half, every_other;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (2 * i < specs.size()) first_half.insert(specs[i].name);
    if (i % 2 == 0) every_other.insert(specs[i].name);
  }
  for (const auto& frozen : {first_half, every_other}) {
    if (frozen.empty()) return;
    const auto engine = make_cpu_executor();
    expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.frozen = frozen});
  }
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

// Three layers; gradients stop above the second, which keeps its statistics though others move.
TEST(CpuFrozen, NoWorkBelowTheFirstLayerThatLearns) {
  GraphBuilder g("frozen");
  ValueId x = g.input("image", {.channels = 3});
  for (const std::string name : {"a", "b", "c"}) {
    x = g.conv(name + ".conv", x, {.channels = 8, .kernel = 3, .padding = 1, .bias = false});
    x = g.relu(name + ".relu", g.batch_norm(name + ".bn", x));
  }
  g.output("result", x);
  const Graph graph = std::move(g).build();
  std::set<std::string> frozen;
  for (const ParameterSpec& spec : graph.parameters) {
    if (spec.name[0] != 'c') frozen.insert(spec.name);
  }
  for (const bool cpu : {true, false}) {
    ParameterStore parameters = random_parameters(graph, 1);
    const ParameterStore before = parameters.clone();
    const auto engine = cpu ? make_cpu_executor() : make_reference_executor();
    const Shape input{2, 3, 16, 16};
    const auto plan =
        engine->plan(graph, parameters, {&input, 1}, {.mode = Mode::train, .frozen = frozen});
    const auto whole = engine->plan(graph, parameters, {&input, 1}, {.mode = Mode::train});
    plan->forward({});
    plan->backward();
    EXPECT_EQ(plan->gradients().size(), 3u);  // c.conv.weight, c.bn.weight, c.bn.bias
    for (const StepTime& step : plan->profile()) {
      if (step.pass == Pass::backward && step.kernel != "reorder") {  // of what 'c' reads
        EXPECT_EQ(step.node[0], 'c') << step.kernel;
      }
    }
    for (const auto& [name, parameter] : parameters.all()) {
      const bool moved = name.starts_with("c.bn.running");
      EXPECT_EQ(std::ranges::equal(parameter.value.values(), before.value(name).values()), !moved)
          << name;
    }
    if (cpu) {
      EXPECT_LT(plan->memory_bytes(), whole->memory_bytes() * 4 / 5);
    }
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

/// One convolution, forward and backward, as steps.
std::vector<StepTime> steps_of(const Shape& input, const op::Conv& conv) {
  GraphBuilder g("one");
  const ValueId image = g.input("image", {.channels = static_cast<int>(input.c())});
  g.output("logits", g.conv("conv", image, conv));
  const Graph graph = std::move(g).build();
  ParameterStore parameters = initialise(graph, 1);
  const PlanOptions options{.mode = Mode::train, .input_gradients = true};
  return make_cpu_executor()->plan(graph, parameters, {&input, 1}, options)->profile();
}

// oneDNN's reference loops are a hundred times slower than its kernels and ours.
TEST(CpuConvolutions, NeverRunOnReferenceLoops) {
  struct Layer {
    int channels, kernel, stride, dilation;
  };
  for (const int in : {1, 3, 5, 8, 16, 20, 64}) {
    for (const Layer& l :
         {Layer{64, 7, 2, 1}, Layer{16, 3, 2, 1}, Layer{16, 3, 1, 1}, Layer{24, 1, 2, 1},
          Layer{19, 1, 1, 1}, Layer{32, 5, 1, 1}, Layer{16, 2, 2, 1}, Layer{16, 3, 1, 2},
          Layer{21, 3, 1, 12}, Layer{16, 3, 2, 2}, Layer{8, 7, 1, 4}}) {
      const op::Conv conv{.channels = l.channels,
                          .kernel = l.kernel,
                          .stride = l.stride,
                          .dilation = l.dilation,
                          .padding = l.dilation * (l.kernel - 1) / 2};
      for (const StepTime& step : steps_of({2, in, 15, 17}, conv)) {
        EXPECT_FALSE(step.kernel.starts_with("ref"))
            << step.kernel << ": " << in << " -> " << l.channels << ", kernel " << l.kernel
            << ", stride " << l.stride << ", dilation " << l.dilation;
      }
    }
  }
  for (const int groups : {2, 8, 32}) {  // ResNeXt's have 4 to 32 channels
    for (const int stride : {1, 2}) {
      const op::Conv conv{
          .channels = 128, .kernel = 3, .stride = stride, .padding = 1, .groups = groups};
      for (const StepTime& step : steps_of({1, 128, 9, 10}, conv)) {
        EXPECT_FALSE(step.kernel.starts_with("ref")) << step.kernel << ", groups " << groups;
      }
    }
  }
}

class CpuExact : public testing::TestWithParam<EngineCase> {};

// Plain float sums: a fifth of the rounding that Winograd's kernels are allowed.
TEST_P(CpuExact, InfersAsTheReferenceWithoutWinograd) {
  const auto engine = make_cpu_executor({.exact = true});
  const EngineCase& c = GetParam();
  expect_engines_agree(*engine, c.graph, c.inputs, {.mode = Mode::infer, .value_tolerance = 4e-6});
  ParameterStore parameters = random_parameters(c.graph, 1);
  for (const Mode mode : {Mode::infer, Mode::train}) {
    const auto plan = engine->plan(c.graph, parameters, c.inputs, {.mode = mode});
    for (const StepTime& step : plan->profile()) {
      EXPECT_EQ(step.kernel.find("winograd"), std::string::npos) << step.node;
    }
  }
}

std::vector<EngineCase> cases_with_convolutions() {
  std::vector<EngineCase> cases = engine_cases();
  std::erase_if(cases, [](const EngineCase& c) {
    return std::ranges::none_of(
        c.graph.nodes, [](const Node& node) { return std::holds_alternative<op::Conv>(node.op); });
  });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cases, CpuExact, testing::ValuesIn(cases_with_convolutions()),
                         [](const auto& tested) { return tested.param.name; });

TEST(CpuExact, HasNoGroupsOfPixels) {
  GraphBuilder g("conv");
  const ValueId conv = g.conv("conv", g.input("image", {.channels = 16}),
                              {.channels = 16, .kernel = 3, .padding = 1});
  g.output("logits", conv);
  const Graph graph = std::move(g).build();
  EXPECT_EQ(make_cpu_executor({.exact = true})->grid().period(graph, conv, 2), 1);
  EXPECT_GT(make_cpu_executor()->grid().period(graph, conv, 2), 1);
}

/// All numbers that a run leaves behind, as bytes.
struct Numbers {
  std::vector<float> all;
  void take(ConstTensorView view) {
    all.insert(all.end(), view.data, view.data + view.shape.count());
  }
};

Numbers run(const EngineCase& tested, Mode mode, int thread_count) {
  const ThreadsInScope scope(thread_count);
  ParameterStore parameters = random_parameters(tested.graph, 5);
  const auto engine = make_cpu_executor();
  const auto plan = engine->plan(tested.graph, parameters, tested.inputs, {.mode = mode});
  RandomStream random(6, 0, 0);
  for (std::size_t i = 0; i < tested.inputs.size(); ++i) {
    for (float& v : plan->input(static_cast<int>(i)).values()) {
      v = static_cast<float>(random.normal());
    }
  }
  Numbers numbers;
  plan->forward({.seed = 3});
  for (const Output& output : tested.graph.outputs) {
    numbers.take(plan->output(output.name));
    if (mode == Mode::infer) continue;
    for (float& v : plan->output_gradient(output.name).values()) {
      v = static_cast<float>(random.normal());
    }
  }
  if (mode == Mode::train) {
    plan->backward();
    for (const auto& [name, gradient] : plan->gradients()) numbers.take(gradient.view());
  }
  return numbers;
}

TEST_P(CpuEngine, InfersTheSameBitsOnOneThreadAndOnTwo) {
  EXPECT_EQ(run(GetParam(), Mode::infer, 1).all, run(GetParam(), Mode::infer, 2).all);
}

// Scratch is for the threads that the plan was made for; a caller's team has numbers of its own.
TEST(CpuEngineInATeam, EachThreadOfACallersTeamMayRunAPlan) {
  GraphBuilder g("wide");
  const ValueId image = g.input("image", {.channels = 16});
  g.output("result", g.conv("conv", image, {.channels = 24, .kernel = 3, .padding = 1}));
  const EngineCase wide{"wide", std::move(g).build(), {{1, 16, 40, 44}}};
  const std::vector<float> alone = run(wide, Mode::infer, 1).all;
  constexpr int kTeam = 4;
  std::vector<std::vector<float>> results(kTeam);
#pragma omp parallel for schedule(static, 1) num_threads(kTeam)
  for (int i = 0; i < kTeam; ++i) {
    results[static_cast<std::size_t>(i)] = run(wide, Mode::infer, 1).all;
  }
  EXPECT_THAT(results, testing::Each(alone));
}

TEST_P(CpuEngine, TrainsTheSameBitsAgain) {
  EXPECT_EQ(run(GetParam(), Mode::train, 2).all, run(GetParam(), Mode::train, 2).all);
}

}  // namespace
}  // namespace segmentum
