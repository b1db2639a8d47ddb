// Needed regions held to the reference engine: gradients reach no input pixel outside them.
#include <gtest/gtest.h>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/reference/reference_plan.h"
#include "graph/regions.h"

namespace segmentum {
namespace {

class NeededRegions : public testing::TestWithParam<EngineCase> {};

/// The smallest region that holds every pixel of `gradient` that is not zero.
Region support(BasicTensorView<const double> gradient) {
  const Shape& shape = gradient.shape;
  Region region;
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    if (gradient.data[i] == 0) continue;
    const std::int64_t x = i % shape.w(), y = i / shape.w() % shape.h();
    region = {hull(region.y, {y, y + 1}), hull(region.x, {x, x + 1})};
  }
  return region;
}

bool holds(Interval outer, Interval inner) {
  return inner.empty() || (outer.begin <= inner.begin && inner.end <= outer.end);
}

void ask(ReferencePlan<double>& plan, const Output& output, std::int64_t y, std::int64_t x) {
  plan.forward({.seed = 3});
  const auto gradient = plan.output_gradient(output.name);
  for (std::int64_t n = 0; n < gradient.shape.n(); ++n) {
    for (std::int64_t c = 0; c < gradient.shape.c(); ++c) gradient(n, c, y, x) = 1.0 + 0.3 * c;
  }
  plan.backward();
}

// One pixel of one output at a time: corners, middle, and some at random.
TEST_P(NeededRegions, HoldEveryGradient) {
  const auto& [name, graph, inputs, partial] = GetParam();
  ParameterStore parameters = random_parameters(graph, 1);
  ReferencePlan<double> plan(
      graph, parameters, inputs,
      {.mode = Mode::train, .frozen_batch_norm = true, .input_gradients = true});
  RandomStream random(5, 0, 0);
  for (int i = 0; i < static_cast<int>(inputs.size()); ++i) {
    for (double& value : plan.input(i).values()) value = random.normal();
  }
  const auto shapes = infer_shapes(graph, inputs);
  for (const Output& output : graph.outputs) {
    const Shape& shape = shapes[static_cast<std::size_t>(output.value)];
    const std::int64_t h = shape.h(), w = shape.w();
    std::vector<std::pair<std::int64_t, std::int64_t>> pixels{
        {0, 0}, {h - 1, w - 1}, {h / 2, w / 2}};
    for (int i = 0; i < 5; ++i) {
      pixels.emplace_back(random.below(static_cast<std::uint32_t>(h)),
                          random.below(static_cast<std::uint32_t>(w)));
    }
    for (const auto& [y, x] : pixels) {
      ask(plan, output, y, x);
      const WantedRegion wanted{output.value, {{y, y + 1}, {x, x + 1}}};
      const auto regions = needed_regions(graph, shapes, {&wanted, 1});
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Region have = regions[static_cast<std::size_t>(graph.inputs[i])];
        const Region seen = support(plan.input_gradient(static_cast<int>(i)));
        EXPECT_TRUE(holds(have.y, seen.y) && holds(have.x, seen.x))
            << "pixel " << y << "," << x << " of " << output.name << ": rows " << seen.y.begin
            << ".." << seen.y.end << " of " << have.y.begin << ".." << have.y.end << ", columns "
            << seen.x.begin << ".." << seen.x.end << " of " << have.x.begin << ".." << have.x.end;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, NeededRegions, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
