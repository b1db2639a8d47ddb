#include "graph/checkerboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;

constexpr double kRounding = 1e-6;  // of sums of some dozen floats near 1

Graph transposed(const op::TransposedConv& options, int channels = 1) {
  GraphBuilder g("up");
  g.output("logits", g.transposed_conv("up", g.input("image", {.channels = channels}), options));
  return std::move(g).build();
}

Graph resized(const op::Resize& options) {
  GraphBuilder g("up");
  g.output("logits", g.resize("up", g.input("image", {.channels = 1}), options));
  return std::move(g).build();
}

UpsamplingPhases phases_of(const Graph& graph, const ParameterStore* parameters = nullptr) {
  const auto all = upsampling_phases(graph, parameters);
  EXPECT_EQ(all.size(), 1u);
  return all.at(0);
}

ParameterStore filled(const Graph& graph, float value) {
  ParameterStore parameters = initialise(graph, 1);
  std::ranges::fill(parameters.change("up.weight").values(), value);
  return parameters;
}

// First statement: a kernel that is no multiple of its stride overlaps unevenly. 3 taps at stride 2
// meet as 2, 1, 2, 1, ...: in two dimensions 4, 2, 2 and 1. Even with equal weights it shows.
TEST(Checkerboard, KernelNoMultipleOfTheStrideOverlapsUnevenly) {
  const Graph graph = transposed({.kernel = 3, .bias = false});
  const ParameterStore ones = filled(graph, 1);
  const UpsamplingPhases phases = phases_of(graph, &ones);
  EXPECT_EQ(phases.phases, Size2(2));
  EXPECT_THAT(phases.overlap, ElementsAre(4, 2, 2, 1));
  EXPECT_THAT(phases.response, ElementsAre(4, 2, 2, 1));
  EXPECT_FALSE(phases.overlaps_evenly());
  // Mean 2.25: (1.75^2 + 2 * 0.25^2 + 1.25^2) / (16 + 4 + 4 + 1) = 4.75 / 25.
  EXPECT_NEAR(phases.unevenness, std::sqrt(0.19), kRounding);
}

// Padding moves the phases and changes nothing else.
TEST(Checkerboard, PhasesAreThoseOfOutputPixels) {
  const Graph graph = transposed({.kernel = 3, .padding = 1, .bias = false});
  EXPECT_THAT(phases_of(graph).overlap, ElementsAre(1, 2, 2, 4));
  const Graph wide =
      transposed({.kernel = {2, 5}, .stride = {2, 3}, .padding = {0, 1, 0, 0}, .bias = false});
  // Rows: one tap each. Columns: taps 1 and 4, then 2, then 0 and 3.
  EXPECT_THAT(phases_of(wide).overlap, ElementsAre(2, 1, 2, 2, 1, 2));
  ParameterStore parameters = filled(wide, 0);
  parameters.change("up.weight")(0, 0, 1, 2) = 5;
  EXPECT_THAT(phases_of(wide, &parameters).response, ElementsAre(0, 0, 0, 0, 5, 0));
}

TEST(Checkerboard, KernelSmallerThanTheStrideLeavesHoles) {
  EXPECT_THAT(phases_of(transposed({.kernel = 1})).overlap, ElementsAre(1, 0, 0, 0));
}

// Second statement: a multiple overlaps evenly, and can still learn unequal phases.
TEST(Checkerboard, KernelThatIsAMultipleOverlapsEvenly) {
  for (int factor : {1, 2, 3}) {
    const Graph graph = transposed({.kernel = 2 * factor, .bias = false});
    EXPECT_TRUE(phases_of(graph).overlaps_evenly());
    EXPECT_THAT(phases_of(graph).overlap, Each(factor * factor));
    const ParameterStore ones = filled(graph, 1);
    EXPECT_EQ(phases_of(graph, &ones).unevenness, 0);
  }
  const Graph graph = transposed({.kernel = 2, .bias = false});
  ParameterStore learnt = filled(graph, 1);
  learnt.change("up.weight")(0, 0, 1, 1) = 3;
  const UpsamplingPhases phases = phases_of(graph, &learnt);
  EXPECT_TRUE(phases.overlaps_evenly());
  EXPECT_THAT(phases.response, ElementsAre(1, 1, 1, 3));
  // Mean 1.5: (3 * 0.5^2 + 1.5^2) / (1 + 1 + 1 + 9) = 3 / 12.
  EXPECT_NEAR(phases.unevenness, 0.5, kRounding);
}

// A transposed convolution that starts as bilinear interpolation answers with what it was given.
TEST(Checkerboard, BilinearKernelsAreEven) {
  for (int factor : {2, 4, 8, 32}) {
    const Graph graph = transposed({.channels = 3,
                                    .kernel = 2 * factor,
                                    .stride = factor,
                                    .padding = factor / 2,
                                    .bias = false,
                                    .init = Init::bilinear},
                                   3);
    const ParameterStore start = initialise(graph, 1);
    const UpsamplingPhases phases = phases_of(graph, &start);
    EXPECT_THAT(phases.response, Each(DoubleNear(1, kRounding)));
    EXPECT_LT(phases.unevenness, kRounding);
  }
}

// Phases of equal strength that do different things are uneven too: here channel a and channel b.
TEST(Checkerboard, StrengthAloneIsNotEnough) {
  const Graph graph = transposed({.kernel = {1, 2}, .stride = {1, 2}, .bias = false}, 2);
  ParameterStore parameters = filled(graph, 0);
  parameters.change("up.weight")(0, 0, 0, 0) = 1;
  parameters.change("up.weight")(1, 0, 0, 1) = 1;
  const UpsamplingPhases phases = phases_of(graph, &parameters);
  EXPECT_THAT(phases.response, ElementsAre(1, 1));
  EXPECT_NEAR(phases.unevenness, std::sqrt(0.5), kRounding);
}

// Third statement: a resize, and so a convolution behind it, answers a constant with a constant.
TEST(Checkerboard, ResizesAnswerAConstantWithAConstant) {
  for (Interpolation mode : {Interpolation::nearest, Interpolation::bilinear}) {
    for (int scale : {2, 3, 8}) {
      const UpsamplingPhases phases = phases_of(resized({.mode = mode, .scale = scale}));
      EXPECT_EQ(phases.phases, Size2(scale));
      EXPECT_THAT(phases.response, Each(1));
      EXPECT_EQ(phases.unevenness, 0);
    }
  }
  EXPECT_THAT(phases_of(resized({.scale = 2})).overlap, Each(4));
  EXPECT_THAT(phases_of(resized({.mode = Interpolation::nearest, .scale = 2})).overlap, Each(1));
  // At factor 3 the middle pixel lies on an input pixel.
  EXPECT_THAT(phases_of(resized({.scale = 3})).overlap, ElementsAre(4, 2, 4, 2, 1, 2, 4, 2, 4));
}

TEST(Checkerboard, SizesDecideThePhasesOfSomeResizes) {
  EXPECT_EQ(phases_of(resized({.align_corners = true, .scale = 4})).phases, Size2(1));
  GraphBuilder g("like");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId pool = g.max_pool("pool", image, {.kernel = 4, .stride = 4});
  g.output("logits", g.resize_like("up", pool, image));
  EXPECT_EQ(phases_of(std::move(g).build()).phases, Size2(4));
}

TEST(Checkerboard, TableForPeople) {
  GraphBuilder g("two");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId up =
      g.transposed_conv("decoder.up", image, {.kernel = 3, .stride = 2, .bias = false});
  g.output("logits", g.resize("resize", up, {.scale = 2}));
  const Graph graph = std::move(g).build();
  EXPECT_EQ(upsampling_table(upsampling_phases(graph)),
            "upsampling  phases     overlap        response  unevenness\n"
            "decoder.up     2x2      1 to 4\n"
            "  overlap   4 2\n"
            "            2 1\n"
            "resize         2x2           4               1       0.0 %\n");
  ParameterStore parameters = initialise(graph, 1);
  std::ranges::fill(parameters.change("decoder.up.weight").values(), 0.5f);
  EXPECT_EQ(upsampling_table(upsampling_phases(graph, &parameters)),
            "upsampling  phases     overlap        response  unevenness\n"
            "decoder.up     2x2      1 to 4        0.5 to 2      43.6 %\n"
            "  overlap   4 2\n"
            "            2 1\n"
            "  response    2   1\n"
            "              1 0.5\n"
            "resize         2x2           4               1       0.0 %\n");
  EXPECT_EQ(upsampling_table({}), "");
}

// 9 taps at stride 5 meet unevenly, but 25 numbers are no longer a picture.
TEST(Checkerboard, LargeMapsAreLeftOut) {
  const Graph graph = transposed({.kernel = 9, .stride = 5});
  EXPECT_FALSE(phases_of(graph).overlaps_evenly());
  EXPECT_EQ(upsampling_table(upsampling_phases(graph)),
            "upsampling  phases     overlap        response  unevenness\n"
            "up             5x5      1 to 4\n");
}

TEST(Checkerboard, MissingWeightsAreNamed) {
  const ParameterStore none;
  EXPECT_THROW(phases_of(transposed({}), &none), Error);
}

}  // namespace
}  // namespace segmentum
