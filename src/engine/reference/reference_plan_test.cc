#include "engine/reference/reference_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Shape kOneByTwo{1, 1, 1, 2};

void fill(TensorView view, std::initializer_list<float> values) {
  ASSERT_EQ(view.values().size(), values.size());
  std::ranges::copy(values, view.data);
}

void expect_error(const std::function<void()>& call, const std::string& message) {
  try {
    call();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

/// y = relu(2x - 1), read as "y" and, before the activation, as "line".
struct Line {
  Graph graph;
  ParameterStore parameters;

  Line() {
    GraphBuilder g("line");
    const ValueId line = g.conv("line", g.input("x", {.channels = 1}), {.channels = 1});
    g.output("y", g.relu("relu", line));
    g.output("line", line);
    graph = std::move(g).build();
    parameters = initialise(graph, 1);
    parameters.change("line.weight").data()[0] = 2;
    parameters.change("line.bias").data()[0] = -1;
  }
  ReferencePlan<float> plan(const PlanOptions& options) {
    return {graph, parameters, {&kOneByTwo, 1}, options};
  }
};

TEST(ReferencePlan, AddsTheGradientsOfAllReaders) {
  Line line;
  auto plan = line.plan({.mode = Mode::train, .input_gradients = true});
  fill(plan.input(), {3, -4});
  plan.forward();
  EXPECT_THAT(plan.output("y").values(), ElementsAre(5, 0));
  EXPECT_THAT(plan.output("line").values(), ElementsAre(5, -9));
  fill(plan.output_gradient("y"), {1, 1});
  fill(plan.output_gradient("line"), {10, 100});
  plan.backward();
  // dLoss/dline = (11, 100).
  EXPECT_THAT(plan.input_gradient().values(), ElementsAre(22, 200));
  EXPECT_THAT(plan.gradients().at("line.weight").values(), ElementsAre(33 - 400));
  EXPECT_THAT(plan.gradients().at("line.bias").values(), ElementsAre(111));
}

TEST(ReferencePlan, BackwardAddsToTheGradientsAndForwardClearsThoseOfOutputs) {
  Line line;
  auto plan = line.plan({.mode = Mode::train});
  fill(plan.input(), {3, 4});
  for (int step = 0; step < 2; ++step) {
    plan.forward();
    EXPECT_THAT(plan.output_gradient("y").values(), ElementsAre(0, 0));
    fill(plan.output_gradient("y"), {1, 0});
    plan.backward();
  }
  EXPECT_THAT(plan.gradients().at("line.weight").values(), ElementsAre(6));
  EXPECT_THAT(plan.gradients().at("line.bias").values(), ElementsAre(2));
}

TEST(ReferencePlan, ReadsParametersAtEachForwardAndOverridesFirst) {
  Line line;
  auto plan = line.plan({});
  fill(plan.input(), {1, 2});
  line.parameters.change("line.bias").data()[0] = 0;
  plan.forward();
  EXPECT_THAT(plan.value(1).values(), ElementsAre(2, 4));
  plan.overrides()["line.bias"] = Tensor({1});
  plan.overrides()["line.bias"].data()[0] = 7;
  plan.forward();
  EXPECT_THAT(plan.value(1).values(), ElementsAre(9, 11));
}

struct Norm {
  Graph graph;
  ParameterStore parameters;

  Norm() {
    GraphBuilder g("norm");
    g.output("y", g.batch_norm("norm", g.input("x", {.channels = 1}),
                               {.epsilon = 0, .momentum = 0.25f}));
    graph = std::move(g).build();
    parameters = initialise(graph, 1);
  }
};

TEST(ReferencePlan, BatchNormMovesItsRunningStatistics) {
  Norm norm;
  ReferencePlan<float> plan(norm.graph, norm.parameters, {&kOneByTwo, 1}, {.mode = Mode::train});
  fill(plan.input(), {1, 5});
  plan.forward();
  EXPECT_THAT(plan.output("y").values(), ElementsAre(-1, 1));
  // From 0 and 1 a quarter of the way to mean 3 and unbiased variance 8.
  EXPECT_THAT(norm.parameters.value("norm.running_mean").values(), ElementsAre(0.75f));
  EXPECT_THAT(norm.parameters.value("norm.running_var").values(), ElementsAre(2.75f));
  EXPECT_EQ(norm.parameters.at("norm.running_mean").version, 1u);
  EXPECT_FALSE(plan.gradients().contains("norm.running_mean"));
}

TEST(ReferencePlan, FrozenBatchNormLeavesThemAlone) {
  Norm norm;
  ReferencePlan<float> plan(norm.graph, norm.parameters, {&kOneByTwo, 1},
                            {.mode = Mode::train, .frozen_batch_norm = true});
  fill(plan.input(), {1, 5});
  plan.forward();
  EXPECT_THAT(plan.output("y").values(), ElementsAre(1, 5));
  EXPECT_EQ(norm.parameters.at("norm.running_mean").version, 0u);
  fill(plan.output_gradient("y"), {1, 1});
  plan.backward();
  EXPECT_THAT(plan.gradients().at("norm.weight").values(), ElementsAre(6));
}

TEST(ReferencePlan, DropoutFollowsSeedAndStep) {
  GraphBuilder g("drop");
  g.output("y", g.dropout("drop", g.input("x", {.channels = 8}), {}));
  const Graph graph = std::move(g).build();
  ParameterStore none;
  const Shape shape{1, 8, 8, 8};
  ReferencePlan<float> plan(graph, none, {&shape, 1}, {.mode = Mode::train});
  std::ranges::fill(plan.input().values(), 1.0f);
  const auto run = [&](const RunOptions& options) {
    plan.forward(options);
    const auto values = plan.output("y").values();
    return std::vector<float>(values.begin(), values.end());
  };
  const auto first = run({.seed = 1, .step = 0});
  EXPECT_NE(first, run({.seed = 1, .step = 1}));
  EXPECT_NE(first, run({.seed = 2, .step = 0}));
  EXPECT_EQ(first, run({.seed = 1, .step = 0}));
}

TEST(ReferencePlan, SaysWhatIsWrong) {
  Line line;
  auto plan = line.plan({});
  expect_error([&] { plan.backward(); }, "a plan made for inference has no backward");
  expect_error([&] { plan.output_gradient("y"); }, "no output gradients; make it with Mode::train");
  expect_error([&] { plan.output("z"); }, "no output \"z\"; it has y, line");
  expect_error([&] { line.plan({.mode = Mode::train}).input_gradient(); },
               "make it with Mode::train and input_gradients");
  expect_error(
      [&] {
        ParameterStore none;
        ReferencePlan<float>(line.graph, none, {&kOneByTwo, 1}, {});
      },
      "line.weight is missing");
}

TEST(ReferenceExecutor, RunsPlansThroughTheInterface) {
  Line line;
  const auto executor = make_reference_executor();
  EXPECT_EQ(executor->name(), "reference");
  const auto plan =
      executor->plan(line.graph, line.parameters, {&kOneByTwo, 1}, {.mode = Mode::train});
  fill(plan->input(), {3, -4});
  plan->forward();
  EXPECT_THAT(plan->output("y").values(), ElementsAre(5, 0));
  EXPECT_GT(plan->memory_bytes(), 0u);
}

}  // namespace
}  // namespace segmentum
