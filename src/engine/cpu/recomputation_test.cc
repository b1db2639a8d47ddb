#include "engine/cpu/recomputation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"

namespace segmentum {
namespace {

using cpu::ForwardCuts;
using cpu::Program;
using cpu::Recomputation;
using cpu::Step;
using testing::ElementsAre;

constexpr int kLayers = 8;

Step touching(std::vector<int> buffers, std::vector<int> writes) {
  return {"node", "kernel", std::move(buffers), [](const cpu::Frame&) {}, std::move(writes)};
}

// Layer i makes value i + 1 of value i; its gradient step reads value i, and makes gradient i
// (buffer kLayers + 1 + i) of gradient i + 1. All have 16 floats.
Program chain() {
  Program program;
  const auto gradient = [](int i) { return kLayers + 1 + i; };
  program.buffers.resize(2 * kLayers + 2, {16});
  program.buffers[0].given = true;
  for (int i = 0; i < kLayers; ++i) program.forward.push_back(touching({i, i + 1}, {i + 1}));
  for (int i = kLayers - 1; i >= 0; --i) {
    program.backward.push_back(touching({i, gradient(i + 1), gradient(i)}, {}));
  }
  return program;
}

TEST(Recomputation, WithoutCutsAllStays) {
  const Program program = chain();
  const Recomputation whole = ForwardCuts(program).recomputation({});
  EXPECT_TRUE(whole.reruns.empty());
  EXPECT_EQ(whole.floats, 16 * (8 + 2));  // values 0 to 7 and two gradients
}

// Layers 0 to 2, 3 to 5, 6 and 7: values 3 and 6 are passed on, 1, 2, 4 and 5 come back.
TEST(Recomputation, ASegmentRunsAgainBeforeItsGradients) {
  const Program program = chain();
  const std::vector<int> cuts{3, 6};
  const Recomputation cut = ForwardCuts(program).recomputation(cuts);
  ASSERT_EQ(cut.reruns.size(), 2u);
  EXPECT_THAT(cut.reruns[0].steps, ElementsAre(0, 1));
  EXPECT_EQ(cut.reruns[0].before, 5);  // the gradient of layer 2
  EXPECT_THAT(cut.reruns[1].steps, ElementsAre(3, 4));
  EXPECT_EQ(cut.reruns[1].before, 2);
  for (int b = 0; b <= kLayers; ++b) {
    const bool comes_back = b == 1 || b == 2 || b == 4 || b == 5;
    EXPECT_EQ(cut.dropped[static_cast<std::size_t>(b)], comes_back) << b;
  }
  EXPECT_EQ(cut.floats, 16 * 6);  // at the gradient of layer 7: values 0, 3, 6, 7, gradients 7, 8
}

TEST(Recomputation, TheSearchFindsNoWorse) {
  const Program program = chain();
  const ForwardCuts cuts(program);
  EXPECT_LE(cuts.recomputation(cuts.best()).floats, 16 * 6);
}

// All steps of the chain cost the same, and a training three times as much as its 8 forward steps:
// a twentieth of that pays for one step, a tenth for two.
TEST(Recomputation, ASmallShareOfTheWorkBuysWhatItCan) {
  const Program program = chain();
  const ForwardCuts cuts(program);
  const auto bought = [&](double share) { return cuts.recomputation(cuts.cheap(share)); };
  EXPECT_TRUE(bought(0).reruns.empty());
  EXPECT_EQ(bought(0).floats, 16 * 10);
  const Recomputation one = bought(0.05), two = bought(0.1);
  ASSERT_EQ(one.reruns.size(), 1u);
  EXPECT_EQ(one.reruns[0].steps.size(), 1u);
  EXPECT_EQ(one.floats, 16 * 9);
  EXPECT_EQ(two.floats, 16 * 8);
}

// Layer 1 writes value 2 and a sum that the backward pass reads; value 2 stays, so it does not run
// again, and the sum stays too.
TEST(Recomputation, WhoMakesSomethingThatStaysDoesNotRunAgain) {
  Program program = chain();
  const int sum = static_cast<int>(program.buffers.size());
  program.buffers.push_back({16});
  program.forward[1] = touching({1, 2, sum}, {2, sum});
  program.backward[6].buffers.push_back(sum);
  const std::vector<int> cuts{2};
  const Recomputation cut = ForwardCuts(program).recomputation(cuts);
  EXPECT_FALSE(cut.dropped[static_cast<std::size_t>(sum)]);
  ASSERT_EQ(cut.reruns.size(), 1u);
  EXPECT_THAT(cut.reruns[0].steps, ElementsAre(0));
}

TEST(Recomputation, NorDoesWhatCanRunOnlyOnce) {
  Program program = chain();
  program.forward[0].once = true;
  const std::vector<int> cuts{3};
  const Recomputation cut = ForwardCuts(program).recomputation(cuts);
  EXPECT_FALSE(cut.dropped[1]);
  ASSERT_EQ(cut.reruns.size(), 1u);
  EXPECT_THAT(cut.reruns[0].steps, ElementsAre(1));
}

TEST(Recomputation, WhatComesBackHasAPlaceInEachPass) {
  Program program = chain();
  recompute_segments(program, true);
  plan_memory(program);
  EXPECT_EQ(std::ranges::count_if(program.backward, &Step::again) + kLayers,
            static_cast<std::ptrdiff_t>(program.backward.size()));
  EXPECT_LE(program.arena_floats, 16 * 6);
  std::vector<float> arena(static_cast<std::size_t>(program.arena_floats));
  for (const cpu::Buffer& buffer : program.buffers) {
    if (!buffer.dropped || buffer.again < 0) continue;
    const std::vector<cpu::Buffer> buffers{buffer};
    const cpu::Frame backward{.arena = arena.data(), .buffers = &buffers, .pass = Pass::backward};
    EXPECT_EQ(backward.floats(0) - arena.data(), buffer.again);
  }
}

void fill(std::span<float> values, RandomStream& random) {
  for (float& value : values) value = static_cast<float>(random.normal());
}

struct Trained {
  std::vector<float> numbers;  // outputs, gradients, parameters, one after the other
  std::size_t bytes = 0;
  int again = 0;  // steps that ran again
};

/// Two steps whose numbers, random but for the seed, would show what one leaves to the next.
Trained train(const EngineCase& tested, bool lean) {
  Trained result;
  ParameterStore parameters = random_parameters(tested.graph, 1);
  const auto engine = make_cpu_executor();
  const auto plan = engine->plan(tested.graph, parameters, tested.inputs,
                                 {.mode = Mode::train, .input_gradients = true, .lean = lean});
  const auto keep = [&](std::span<const float> values) {
    result.numbers.insert(result.numbers.end(), values.begin(), values.end());
  };
  for (std::uint32_t step = 0; step < 2; ++step) {
    RandomStream random(7, step, 0);
    for (std::size_t i = 0; i < tested.inputs.size(); ++i) {
      fill(plan->input(static_cast<int>(i)).values(), random);
    }
    plan->forward({.seed = 3, .step = step});
    for (const Output& output : tested.graph.outputs) {
      keep(plan->output(output.name).values());
      fill(plan->output_gradient(output.name).values(), random);
    }
    plan->backward();
    for (const auto& [name, gradient] : plan->gradients()) keep(gradient.values());
    for (std::size_t i = 0; i < tested.inputs.size(); ++i) {
      keep(plan->input_gradient(static_cast<int>(i)).values());
    }
  }
  for (const auto& [name, parameter] : parameters.all()) keep(parameter.value.values());
  result.bytes = plan->memory_bytes();
  for (const StepTime& step : plan->profile()) result.again += step.kernel.ends_with(", again");
  return result;
}

class Lean : public testing::TestWithParam<EngineCase> {};

// Outputs, gradients, and the running statistics, which move once a step.
TEST_P(Lean, TrainsToTheSameBits) {
  const Trained whole = train(GetParam(), false), lean = train(GetParam(), true);
  ASSERT_EQ(whole.numbers.size(), lean.numbers.size());
  EXPECT_TRUE(std::ranges::equal(whole.numbers, lean.numbers));
  // Of cuts within 5 % of the least memory the search takes those with the least work.
  EXPECT_LE(lean.bytes, whole.bytes * 1.05);
}

INSTANTIATE_TEST_SUITE_P(Cases, Lean, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

/// Eight times convolution, batch norm, ReLU and dropout, with a skip around the middle.
EngineCase deep_network() {
  GraphBuilder g("deep");
  const ValueId image = g.input("image", {.channels = 3});
  ValueId x = image, skip = -1;
  for (int i = 0; i < 8; ++i) {
    const std::string name = "layer" + std::to_string(i);
    x = g.conv(name + ".conv", x, {.channels = 16, .kernel = 3, .padding = 1, .bias = false});
    x = g.relu(name + ".relu", g.batch_norm(name + ".bn", x));
    x = g.dropout(name + ".dropout", x, {.rate = 0.2f});
    if (i == 1) skip = x;
    if (i == 5) x = g.concat("concat", {x, skip});
  }
  g.output("logits", g.conv("head", x, {.channels = 3, .kernel = 1}));
  return {"deep", std::move(g).build(), {{2, 3, 192, 160}}};
}

TEST(Lean, ADeepNetworkNeedsFarLess) {
  const Trained whole = train(deep_network(), false), lean = train(deep_network(), true);
  EXPECT_TRUE(std::ranges::equal(whole.numbers, lean.numbers));
  EXPECT_GT(lean.again, 4);
  // Of eight layers two or three are held; scratch, weights and gradients stay.
  EXPECT_LT(lean.bytes, whole.bytes * 0.6);
}

}  // namespace
}  // namespace segmentum
