// Which convolutions run as one step, and that this changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/cross_check.h"
#include "engine/executor.h"
#include "graph/parameter_store.h"

namespace segmentum {
namespace {

struct Options {
  int stride = 1, dilation = 1;
  bool read_between = false;    // the depthwise result is an output too
  bool expansion_read = false;  // the expanded value is
  ActivationKind last = ActivationKind::none;
};

/// 24 -> 144 -> 24 with a shortcut where the size stays, as MobileNetV2 has them.
Graph inverted_residual(const Options& o) {
  GraphBuilder g("inverted_residual");
  const ValueId image = g.input("image", {.channels = 24});
  const ValueId x = g.relu("x", image);
  const ValueId wide =
      g.activate("wide", g.conv("expand", x, {.channels = 144}), ActivationKind::relu6);
  const ValueId filtered = g.activate("filtered",
                                      g.conv("depthwise", wide,
                                             {.channels = 144,
                                              .kernel = 3,
                                              .stride = o.stride,
                                              .dilation = o.dilation,
                                              .padding = o.dilation,
                                              .groups = 144}),
                                      ActivationKind::relu6);
  const ValueId project = g.conv("project", filtered, {.channels = 24, .activation = o.last});
  g.output("result", project);
  if (o.read_between) g.output("between", filtered);
  if (o.expansion_read) g.output("wide", wide);
  Graph graph = std::move(g).build();
  if (o.stride == 1) {
    auto& last = graph.nodes[static_cast<std::size_t>(project)];
    std::get<op::Conv>(last.op).add = true;
    last.inputs.push_back(x);
  }
  validate(graph);
  return graph;
}

std::vector<StepTime> steps_of(const Graph& graph, const Shape& shape, Mode mode) {
  ParameterStore parameters = random_parameters(graph, 1);
  return make_cpu_executor()->plan(graph, parameters, {&shape, 1}, {.mode = mode})->profile();
}

std::vector<std::string> kernels_of(const Graph& graph, Mode mode = Mode::infer) {
  std::vector<std::string> names;
  for (const StepTime& step : steps_of(graph, {1, 24, 9, 11}, mode)) {
    if (step.pass == Pass::forward) names.push_back(step.node + ": " + step.kernel);
  }
  return names;
}

TEST(CpuSeparable, InvertedResidualIsOneStepThatNamesWhatItComputes) {
  const Graph graph = inverted_residual({});
  for (const StepTime& step : steps_of(graph, {1, 24, 9, 11}, Mode::infer)) {
    EXPECT_NE(step.node, "expand");
    EXPECT_NE(step.node, "depthwise");
    if (step.node != "project" || step.kernel == "output") continue;
    EXPECT_EQ(step.kernel, "inverted residual");
    EXPECT_THAT(step.within, testing::ElementsAre("expand", "depthwise"));
  }
  EXPECT_THAT(kernels_of(graph), testing::Contains("project: inverted residual"));
}

TEST(CpuSeparable, WhatSomebodyElseReadsIsMade) {
  const auto between = kernels_of(inverted_residual({.read_between = true}));
  EXPECT_THAT(between, testing::Contains("depthwise: expanded depthwise"));
  EXPECT_THAT(between, testing::Not(testing::Contains("project: separable")));
  const auto wide = kernels_of(inverted_residual({.expansion_read = true}));
  EXPECT_THAT(wide, testing::Contains("project: separable"));
  // A sigmoid is a step of its own, as f(0) is not 0.
  const auto sigmoid = kernels_of(inverted_residual({.last = ActivationKind::sigmoid}));
  EXPECT_THAT(sigmoid, testing::Contains("depthwise: expanded depthwise"));
}

TEST(CpuSeparable, TrainingKeepsEveryValue) {
  const auto names = kernels_of(inverted_residual({}), Mode::train);
  EXPECT_THAT(names, testing::Contains("depthwise: depthwise"));
}

TEST(CpuSeparable, AgreesWithTheReference) {
  for (const Options& o :
       {Options{}, Options{.stride = 2}, Options{.dilation = 2}, Options{.read_between = true},
        Options{.stride = 2, .expansion_read = true}, Options{.last = ActivationKind::sigmoid},
        Options{.last = ActivationKind::hard_swish}}) {
    const Graph graph = inverted_residual(o);
    for (const bool exact : {false, true}) {
      const auto engine = make_cpu_executor({.exact = exact});
      expect_engines_agree(*engine, graph, {{2, 24, 17, 13}},
                           {.mode = Mode::infer, .value_tolerance = 4e-6});
    }
  }
}

// dw -> 1x1 -> dw -> 1x1: the 1x1 in the middle belongs to the first.
TEST(CpuSeparable, PairsInARowAreSeparable) {
  GraphBuilder g("xception");
  ValueId x = g.input("image", {.channels = 24});
  for (const std::string name : {"a", "b"}) {
    const int channels = g.channels(x);
    x = g.conv(name + ".depthwise", x,
               {.channels = channels, .kernel = 3, .padding = 1, .groups = channels});
    x = g.relu(name + ".relu", g.conv(name + ".pointwise", x, {.channels = 40}));
  }
  g.output("result", x);
  const Graph graph = std::move(g).build();
  const auto names = kernels_of(graph);
  EXPECT_THAT(names, testing::IsSupersetOf({"a.pointwise: separable", "b.pointwise: separable"}));
  expect_engines_agree(*make_cpu_executor(), graph, {{1, 24, 10, 7}}, {.mode = Mode::infer});
}

}  // namespace
}  // namespace segmentum
