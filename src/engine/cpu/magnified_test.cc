// 1x1 convolutions that are done before a magnification: when they are, and that it changes
// nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/magnified_taps.h"
#include "engine/cross_check.h"
#include "engine/executor.h"
#include "graph/parameter_store.h"

namespace segmentum {
namespace {

struct Options {
  int channels = 64;  // that are magnified
  op::Resize resize{.scale = 4};
  bool magnified_first = true;
  bool bias = false, relu = false, read_between = false;
  int dilation = 1;
  bool cropped = false;  // the magnified value starts at (1, 2) of a larger one
  op::Pad pad{};         // around it
  ActivationKind last = ActivationKind::relu;
};

/// A DeepLab v3+'s decoder: `map` magnified beside `fine`, depthwise and 1x1.
Graph decoder(const Options& o) {
  GraphBuilder g("decoder");
  const ValueId fine = g.input("fine", {.channels = 20});
  const ValueId image = g.input("map", {.channels = o.channels});
  const ValueId low = g.relu("low", fine);
  ValueId up = o.resize.scale == 0 ? g.resize_like("up", g.relu("x", image), low, o.resize)
                                   : g.resize("up", g.relu("x", image), o.resize);
  if (o.pad.margin != Padding(0)) up = g.pad("pad", up, o.pad);
  if (o.cropped) up = g.crop_like("crop", up, low, {.offset = {1, 2}});
  const ValueId both =
      o.magnified_first ? g.concat("both", {up, low}) : g.concat("both", {low, up});
  const int channels = 20 + o.channels;
  ValueId x = g.conv("depthwise", both,
                     {.channels = channels,
                      .kernel = 3,
                      .dilation = o.dilation,
                      .padding = o.dilation,
                      .groups = channels,
                      .bias = o.bias});
  if (o.relu) x = g.relu("between", x);
  g.output("result", g.conv("pointwise", x, {.channels = 37, .activation = o.last}));
  if (o.read_between) g.output("both", both);
  return std::move(g).build();
}

const Shape kFine{1, 20, 20, 12}, kMap{1, 64, 5, 3};

std::vector<StepTime> steps_of(const Graph& graph, Shape map = kMap, const Shape& fine = kFine,
                               Mode mode = Mode::infer) {
  ParameterStore parameters = random_parameters(graph, 1);
  map[1] = graph.node(1).channels;
  const Shape shapes[] = {fine, map};
  return make_cpu_executor()->plan(graph, parameters, shapes, {.mode = mode})->profile();
}

bool is_done_before(const std::vector<StepTime>& steps) {
  return std::ranges::any_of(
      steps, [](const StepTime& step) { return step.kernel == "separable of magnified"; });
}

// Doubled by half-pixel centres, pixels 0, 1, 2, 3 of two are a, 3/4 a + 1/4 b, 1/4 a + 3/4 b, b.
TEST(TapTerms, AreThoseOfTheMagnifiedPixelsInside) {
  const auto seen = resize_taps(2, 4, Interpolation::bilinear, false);
  const cpu::TapTerms terms = cpu::tap_terms(seen, 3, 1, 1, 4);
  using Terms = std::vector<std::tuple<std::int64_t, std::int64_t, float>>;
  const auto of = [&](std::size_t i) {
    Terms result;
    for (const auto& t : terms[i]) result.emplace_back(t.tap, t.source, t.weight);
    return result;
  };
  EXPECT_EQ(of(0), (Terms{{1, 0, 1.0f}, {2, 0, 0.75f}, {2, 1, 0.25f}}));
  EXPECT_EQ(of(1),
            (Terms{{0, 0, 1.0f}, {1, 0, 0.75f}, {1, 1, 0.25f}, {2, 0, 0.25f}, {2, 1, 0.75f}}));
  EXPECT_EQ(of(3), (Terms{{0, 0, 0.25f}, {0, 1, 0.75f}, {1, 1, 1.0f}}));
}

TEST(CpuMagnified, NeitherMagnifiedNorJoinedValueIsMade) {
  int products = 0;
  for (const StepTime& step : steps_of(decoder({}))) {
    EXPECT_THAT(step.node, testing::Not(testing::AnyOf("up", "both", "depthwise")));
    if (step.node != "pointwise" || step.kernel == "output") continue;
    EXPECT_THAT(step.within, testing::ElementsAre("depthwise", "both", "up"));
    products += step.kernel != "separable of magnified";
  }
  EXPECT_EQ(products, 1);  // of all taps
}

TEST(CpuMagnified, OnlyWhereAllIsLinearAndItSavesProducts) {
  EXPECT_TRUE(is_done_before(steps_of(decoder({}))));
  EXPECT_FALSE(is_done_before(steps_of(decoder({.bias = true}))));
  EXPECT_FALSE(is_done_before(steps_of(decoder({.relu = true}))));
  // A sigmoid is a step of its own, so these two run alone.
  EXPECT_FALSE(is_done_before(steps_of(decoder({.last = ActivationKind::sigmoid}))));
  EXPECT_FALSE(is_done_before(steps_of(decoder({.read_between = true}))));
  EXPECT_FALSE(is_done_before(steps_of(decoder({}), kMap, kFine, Mode::train)));
  // The sums would cost what is saved; nine products would stand for four pixels.
  EXPECT_FALSE(is_done_before(steps_of(decoder({.channels = 54}))));
  EXPECT_FALSE(
      is_done_before(steps_of(decoder({.resize = {.scale = 2}}), {1, 64, 10, 6}, {1, 20, 20, 12})));
}

struct Case {
  std::string name;
  Options options;
  Shape map = kMap, fine = kFine;
};

class Magnified : public testing::TestWithParam<Case> {};

// Sums of 84 products, of which some are sums of nine times four.
TEST_P(Magnified, AgreesWithTheReference) {
  const Graph graph = decoder(GetParam().options);
  EXPECT_TRUE(is_done_before(steps_of(graph, GetParam().map, GetParam().fine)));
  Shape map = GetParam().map;
  map[1] = GetParam().options.channels;
  expect_engines_agree(*make_cpu_executor(), graph, {GetParam().fine, map},
                       {.mode = Mode::infer, .value_tolerance = 4e-6});
}

TEST_P(Magnified, HasTheSameBitsForAnyThreads) {
  const Graph graph = decoder(GetParam().options);
  ParameterStore parameters = random_parameters(graph, 1);
  Shape map = GetParam().map;
  map[1] = GetParam().options.channels;
  const Shape shapes[] = {GetParam().fine, map};
  std::vector<float> one;
  for (const int count : {1, 2, 3}) {
    const ThreadsInScope scope(count);
    const auto plan = make_cpu_executor()->plan(graph, parameters, shapes, {});
    for (int i : {0, 1}) {
      float next = -1;
      for (float& v : plan->input(i).values()) v = next = next > 2 ? next - 3.7f : next + 0.37f;
    }
    plan->forward();
    const auto values = plan->output("result").values();
    if (count == 1) one.assign(values.begin(), values.end());
    EXPECT_TRUE(std::ranges::equal(values, one)) << count << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Decoders, Magnified,
    testing::Values(
        Case{"bilinear", {}}, Case{"corners", {.resize = {.align_corners = true, .scale = 4}}},
        Case{"nearest", {.resize = {.mode = Interpolation::nearest, .scale = 4}}},
        Case{"like_another", {.resize = {}}}, Case{"second", {.magnified_first = false}},
        Case{"odd_channels", {.channels = 71}}, Case{"dilated", {.dilation = 3}},
        Case{"wide_dilation", {.dilation = 13}},
        Case{"hard_swish", {.last = ActivationKind::hard_swish}},
        Case{"of_one_pixel", {}, {1, 64, 1, 1}, {1, 20, 4, 4}},
        Case{"row_of_batch", {}, {3, 64, 1, 7}, {3, 20, 4, 28}},
        Case{"five_times", {.resize = {.scale = 5}}, {2, 64, 3, 4}, {2, 20, 15, 20}},
        Case{"bands", {}, {1, 64, 11, 10}, {1, 20, 44, 40}},
        Case{"strips", {}, {1, 64, 2, 401}, {1, 20, 8, 1604}},
        Case{"cropped", {.cropped = true}, {1, 64, 5, 4}, {1, 20, 17, 11}},
        Case{"padded", {.pad = {.margin = {2, 0, 1, 3}}}, {1, 64, 4, 3}, {1, 20, 19, 15}},
        Case{"mirrored",
             {.pad = {.mode = PadMode::mirror, .margin = {2, 0, 1, 3}}},
             {1, 64, 4, 3},
             {1, 20, 19, 15}},
        Case{"edges",
             {.cropped = true, .pad = {.mode = PadMode::edge, .margin = {2, 1, 1, 3}}},
             {1, 64, 4, 3},
             {1, 20, 15, 13}}),
    [](const auto& tested) { return tested.param.name; });

// What is packed is made of two parameters.
TEST(CpuMagnified, FollowsBothOfItsParameters) {
  const Graph graph = decoder({});
  ParameterStore parameters = random_parameters(graph, 1);
  const Shape shapes[] = {kFine, kMap};
  const auto executor = make_cpu_executor();
  const auto plan = executor->plan(graph, parameters, shapes, {});
  for (const char* name : {"depthwise.weight", "pointwise.weight"}) {
    for (float& v : plan->input(0).values()) v = 0.5f;
    for (float& v : plan->input(1).values()) v = 2.0f;
    plan->forward();
    for (float& v : parameters.change(name).values()) v = -v;
    plan->forward();
    const auto other = make_cpu_executor()->plan(graph, parameters, shapes, {});
    std::ranges::copy(plan->input(0).values(), other->input(0).values().begin());
    std::ranges::copy(plan->input(1).values(), other->input(1).values().begin());
    other->forward();
    EXPECT_TRUE(
        std::ranges::equal(plan->output("result").values(), other->output("result").values()))
        << name;
  }
}

}  // namespace
}  // namespace segmentum
