// Rewritten graphs held to the originals on the reference engine: the same function.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/reference/reference_plan.h"
#include "graph/rewrite.h"

namespace segmentum {
namespace {

/// Largest difference of any output, as a part of that output's range.
double difference(const Graph& a, ParameterStore& a_parameters, const Graph& b,
                  ParameterStore& b_parameters, const std::vector<Shape>& inputs) {
  ReferencePlan<double> first(a, a_parameters, inputs, {});
  ReferencePlan<double> second(b, b_parameters, inputs, {});
  RandomStream random(9, 0, 0);
  for (int i = 0; i < static_cast<int>(inputs.size()); ++i) {
    for (double& value : first.input(i).values()) value = random.normal();
    std::ranges::copy(first.input(i).values(), second.input(i).data);
  }
  first.forward();
  second.forward();
  double worst = 0;
  for (const Output& output : a.outputs) {
    const auto want = first.output(output.name), have = second.output(output.name);
    EXPECT_EQ(have.shape, want.shape);
    double range = 1e-30, off = 0;
    for (std::size_t i = 0; i < want.values().size(); ++i) {
      range = std::max(range, std::abs(want.values()[i]));
      off = std::max(off, std::abs(want.values()[i] - have.values()[i]));
    }
    worst = std::max(worst, off / range);
  }
  return worst;
}

// Folded weights are rounded to float once, 6e-8 each; a few layers add up.
constexpr double kFoldedTolerance = 1e-6;
// All else only changes the order of sums in double.
constexpr double kReorderedTolerance = 1e-13;

class OptimisedGraph : public testing::TestWithParam<EngineCase> {};

TEST_P(OptimisedGraph, IsTheSameFunction) {
  const auto& [name, graph, inputs, partial] = GetParam();
  ParameterStore parameters = random_parameters(graph, 1);
  auto optimised = optimise_for_inference(graph, parameters);
  EXPECT_LE(optimised.graph.nodes.size(), graph.nodes.size());
  EXPECT_LE(difference(graph, parameters, optimised.graph, optimised.parameters, inputs),
            kFoldedTolerance);
}

INSTANTIATE_TEST_SUITE_P(Cases, OptimisedGraph, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

void expect_same(const Graph& before, const Graph& after, const Shape& input, double tolerance) {
  EXPECT_LT(after.nodes.size(), before.nodes.size());
  ParameterStore parameters = random_parameters(before, 1);
  EXPECT_LE(difference(before, parameters, after, parameters, {input}), tolerance);
}

// One pixel wide, so that every border of the resize is met.
TEST(RewrittenGraph, PointwiseBeforeResize) {
  for (const bool corners : {false, true}) {
    for (const auto mode : {Interpolation::nearest, Interpolation::bilinear}) {
      GraphBuilder g("test");
      const ValueId image = g.input("image", {.channels = 6});
      const ValueId half = g.max_pool("half", image);
      const ValueId up = g.resize_like("up", half, image, {mode, corners});
      const ValueId larger = g.resize("larger", up, {mode, corners, 3});
      g.output("logits", g.conv("head", larger, {.channels = 2}));
      const Graph before = std::move(g).build();
      const Graph after = move_pointwise_before_resize(move_pointwise_before_resize(before));
      EXPECT_EQ(after.nodes[2].name, "head");
      ParameterStore parameters = random_parameters(before, 1);
      for (const Shape& input : {Shape{1, 6, 7, 9}, Shape{2, 6, 2, 3}}) {
        EXPECT_LE(difference(before, parameters, after, parameters, {input}), kReorderedTolerance);
      }
    }
  }
}

TEST(RewrittenGraph, FusedAddAndActivation) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 4});
  const op::Conv conv{.channels = 4, .kernel = 3, .padding = 1};
  ValueId x = g.activate("act1", g.conv("conv1", image, conv), ActivationKind::hard_swish);
  x = g.add("sum1", g.conv("conv2", x, conv), x);
  x = g.relu("act2", x);
  x = g.add("sum2", g.transposed_conv("up", x, {.channels = 4, .kernel = 1, .stride = 1}), image);
  g.output("out", g.activate("act3", x, {ActivationKind::leaky_relu, 0.3f}));
  const Graph before = std::move(g).build();
  expect_same(before, fuse_add(fuse_activation(before)), {2, 4, 5, 7}, kReorderedTolerance);
}

TEST(RewrittenGraph, FoldedBatchNormsOfEveryConvolution) {
  GraphBuilder g("test");
  ValueId x = g.input("image", {.channels = 6});
  x = g.conv("conv", x, {.channels = 4, .kernel = 3, .padding = 1, .groups = 2, .bias = false});
  x = g.relu("relu1", g.batch_norm("bn1", x));
  x = g.transposed_conv("up1", x, {.channels = 6, .groups = 2});
  x = g.batch_norm("bn2", g.batch_norm("bn3", x), {.activation = ActivationKind::relu});
  x = g.batch_norm("bn4", g.transposed_conv("up2", x, {.channels = 5, .kernel = 3, .bias = false}));
  g.output("out", x);
  const Graph before = std::move(g).build();
  const Shape input{2, 6, 5, 4};
  ParameterStore parameters = random_parameters(before, 1);
  auto folded = fold_batch_norm(before, parameters);
  EXPECT_EQ(folded.graph.nodes.size(), 5u);  // image, conv, relu1, up1, up2
  EXPECT_LE(difference(before, parameters, folded.graph, folded.parameters, {input}),
            kFoldedTolerance);
}

}  // namespace
}  // namespace segmentum
