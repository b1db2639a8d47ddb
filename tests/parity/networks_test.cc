// Every architecture runs on the cpu engine as on the reference, and gives any picture logits of
// its size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "engine/executor.h"
#include "graph/rewrite.h"
#include "network_cases.h"

namespace segmentum {
namespace {

Tensor run(Executor& engine, const Graph& graph, ParameterStore& parameters, const Shape& shape) {
  const auto plan = engine.plan(graph, parameters, {&shape, 1}, {.mode = Mode::infer});
  RandomStream random(11, 0, 0);
  for (float& value : plan->input().values()) value = static_cast<float>(random.normal());
  plan->forward();
  const ConstTensorView logits = plan->output("logits");
  Tensor copy(logits.shape);
  std::ranges::copy(logits.values(), copy.data());
  return copy;
}

class Networks : public testing::TestWithParam<NetworkCase> {};

// Three ways to the same logits: plain loops, the cpu engine, and the graph folded for inference.
TEST_P(Networks, EnginesAndRewritesAgree) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  GraphWithParameters folded = optimise_for_inference(graph, parameters);
  const auto reference = make_reference_executor();
  const auto cpu = make_cpu_executor();
  for (const Shape& shape : {Shape{1, 3, 33, 47}, Shape{2, 3, 17, 32}}) {
    const Tensor expected = run(*reference, graph, parameters, shape);
    const Tensor plain = run(*cpu, graph, parameters, shape);
    const Tensor fast = run(*cpu, folded.graph, folded.parameters, shape);
    const auto [low, high] = std::ranges::minmax(expected.values());
    const float tolerance = 1e-4f * (high - low);  // of float sums through some 20 layers
    for (std::int64_t i = 0; i < expected.shape().count(); ++i) {
      ASSERT_NEAR(plain.data()[i], expected.data()[i], tolerance);
      ASSERT_NEAR(fast.data()[i], expected.data()[i], tolerance);
    }
  }
}

TEST_P(Networks, AnySizeGivesLogitsOfThatSize) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  const auto cpu = make_cpu_executor();
  std::vector<std::int64_t> sizes{1,  2,  3,  5,  7,  8,  15,  16,  23,
                                  31, 32, 40, 63, 64, 65, 127, 128, 130};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Shape shape{1, 3, sizes[i], sizes[(i * 7 + 3) % sizes.size()]};
    const Tensor logits = run(*cpu, graph, parameters, shape);
    EXPECT_EQ(logits.shape(), (Shape{1, 5, shape.h(), shape.w()}));
    EXPECT_TRUE(std::ranges::all_of(logits.values(), [](float v) { return std::isfinite(v); }))
        << shape.to_string();
  }
}

// A network that leaves part of its parameters alone would train and never say so. Three pictures,
// so that a batch norm of image-level features has something to norm.
TEST_P(Networks, GradientsReachEveryParameter) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  const Shape shape{3, 3, 40, 33};
  const auto plan =
      make_cpu_executor()->plan(graph, parameters, {&shape, 1}, {.mode = Mode::train});
  RandomStream random(5, 0, 0);
  const auto fill = [&](TensorView view) {
    for (float& value : view.values()) value = static_cast<float>(random.normal());
  };
  fill(plan->input());
  plan->forward();
  for (const Output& output : graph.outputs) fill(plan->output_gradient(output.name));
  plan->backward();
  for (const auto& [name, gradient] : plan->gradients()) {
    EXPECT_TRUE(std::ranges::any_of(gradient.values(), [](float v) { return v != 0; })) << name;
    EXPECT_TRUE(std::ranges::all_of(gradient.values(), [](float v) { return std::isfinite(v); }))
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Networks, testing::ValuesIn(network_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
