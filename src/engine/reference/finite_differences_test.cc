// The reference's gradients against central differences of its own values, in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/reference/reference_plan.h"

namespace segmentum {
namespace {

// The central difference is off by h^2 * f'''/6 + 2^-53 * |loss| / h, about 1e-10 of the gradient's
// range at this step; a corner of relu or max within h of a value would be off by far more, and the
// fixed seed has none.
constexpr double kStep = 1e-6;
constexpr double kTolerance = 1e-6;
constexpr int kElementsPerTensor = 12;

/// A graph, random numbers for it, and as the loss a random linear function of its outputs.
class Slopes {
 public:
  Slopes(const EngineCase& tested, bool frozen)
      : partial_(tested.partial_gradients),
        parameters_(random_parameters(tested.graph, 1)),
        plan_(tested.graph, parameters_, tested.inputs,
              {.mode = Mode::train, .frozen_batch_norm = frozen, .input_gradients = true}) {
    for (std::size_t i = 0; i < tested.inputs.size(); ++i) {
      fill_normal(plan_.input(static_cast<int>(i)));
    }
    for (const ParameterSpec& spec : tested.graph.parameters) {
      plan_.overrides()[spec.name] = parameters_.value(spec.name).as<double>();
    }
    for (const Output& output : tested.graph.outputs) {
      factors_.emplace_back(plan_.output(output.name).shape);
      fill_normal(factors_.back().view());
    }
  }

  void expect_match() {
    loss();
    for (std::size_t i = 0; i < factors_.size(); ++i) {
      const auto name = plan_.graph().outputs[i].name;
      std::ranges::copy(factors_[i].values(), plan_.output_gradient(name).data);
    }
    plan_.backward();
    double floor = 0;  // a bias before a batch norm has slope 0: only rounding is left to compare
    for (const auto& [name, gradient] : plan_.gradients()) {
      floor = std::max(floor, 0.01 * range_of(gradient.view()));
    }
    for (auto& [name, gradient] : plan_.gradients()) {
      expect_slopes(name, plan_.overrides().at(name).view(), gradient.view(), floor);
    }
    for (int i = 0; i < static_cast<int>(plan_.graph().inputs.size()); ++i) {
      if (partial_.contains(i)) continue;
      expect_slopes("input " + std::to_string(i), plan_.input(i), plan_.input_gradient(i), 0);
    }
  }

 private:
  static double range_of(BasicTensorView<const double> view) {
    double range = 0;
    for (double value : view.values()) range = std::max(range, std::abs(value));
    return range;
  }

  void fill_normal(BasicTensorView<double> view) {
    for (double& value : view.values()) value = random_.normal();
  }

  double loss() {
    plan_.forward({.seed = 7, .step = 3});
    double sum = 0;
    for (std::size_t i = 0; i < factors_.size(); ++i) {
      const auto output = plan_.output(plan_.graph().outputs[i].name).values();
      for (std::size_t k = 0; k < output.size(); ++k) sum += output[k] * factors_[i].values()[k];
    }
    return sum;
  }

  double slope(double& number) {
    const double middle = number;
    number = middle + kStep;
    const double after = loss();
    number = middle - kStep;
    const double before = loss();
    number = middle;
    return (after - before) / (2 * kStep);
  }

  /// Every element of small tensors, a random choice of large ones.
  void expect_slopes(const std::string& what, BasicTensorView<double> numbers,
                     BasicTensorView<const double> gradient, double floor) {
    ASSERT_EQ(numbers.shape, gradient.shape) << what;
    const std::size_t count = numbers.values().size();
    const double range = std::max({range_of(gradient), floor, 1e-3});
    for (std::size_t k = 0; k < std::min<std::size_t>(count, kElementsPerTensor); ++k) {
      const std::size_t element =
          count <= kElementsPerTensor ? k : random_.below(static_cast<std::uint32_t>(count));
      EXPECT_NEAR(gradient.values()[element], slope(numbers.values()[element]), kTolerance * range)
          << what << ", element " << element << " of " << numbers.shape.to_string();
    }
  }

  RandomStream random_{11, 0, 0};
  std::set<int> partial_;
  ParameterStore parameters_;
  ReferencePlan<double> plan_;
  std::vector<BasicTensor<double>> factors_;
};

class FiniteDifferences : public testing::TestWithParam<EngineCase> {};

TEST_P(FiniteDifferences, MatchBackward) {
  Slopes(GetParam(), false).expect_match();
}

class FiniteDifferencesFrozen : public testing::TestWithParam<EngineCase> {};

TEST_P(FiniteDifferencesFrozen, MatchBackward) {
  Slopes(GetParam(), true).expect_match();
}

INSTANTIATE_TEST_SUITE_P(Cases, FiniteDifferences, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });
INSTANTIATE_TEST_SUITE_P(Cases, FiniteDifferencesFrozen, testing::ValuesIn(batch_norm_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
