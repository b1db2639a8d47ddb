#include "engine/cross_check.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>

#include "engine/engine_cases.h"

namespace segmentum {
namespace {

class ReferenceInFloat : public testing::TestWithParam<EngineCase> {
 protected:
  std::unique_ptr<Executor> engine_ = make_reference_executor();
};

// Sums run in double and are rounded once a layer, so the float engine stays close to the double
// one: this also shows that the tolerances of the check leave room for an honest float engine.
TEST_P(ReferenceInFloat, TrainsAsInDouble) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.steps = 2});
}

TEST_P(ReferenceInFloat, InfersAsInDouble) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.mode = Mode::infer});
}

INSTANTIATE_TEST_SUITE_P(Cases, ReferenceInFloat, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

class ReferenceInFloatFrozen : public ReferenceInFloat {};

TEST_P(ReferenceInFloatFrozen, TrainsAsInDouble) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.frozen_batch_norm = true});
}

INSTANTIATE_TEST_SUITE_P(Cases, ReferenceInFloatFrozen, testing::ValuesIn(batch_norm_cases()),
                         [](const auto& tested) { return tested.param.name; });

/// Another plan, with its backward run more than once: gradients come out too large.
class RepeatedBackward final : public Plan {
 public:
  RepeatedBackward(std::unique_ptr<Plan> plan, int times) : plan_(std::move(plan)), times_(times) {}
  TensorView input(int index) override { return plan_->input(index); }
  void forward(const RunOptions& options) override { plan_->forward(options); }
  ConstTensorView output(const std::string& name) const override { return plan_->output(name); }
  const ScoreRows& rows(const std::string& name) override { return plan_->rows(name); }
  TensorView output_gradient(const std::string& name) override {
    return plan_->output_gradient(name);
  }
  void backward() override {
    for (int i = 0; i < times_; ++i) plan_->backward();
  }
  Gradients& gradients() override { return plan_->gradients(); }
  ConstTensorView input_gradient(int index) const override { return plan_->input_gradient(index); }
  std::size_t memory_bytes() const override { return plan_->memory_bytes(); }

 private:
  std::unique_ptr<Plan> plan_;
  int times_;
};

/// The reference made wrong: it runs what `alter` makes of the graph and the options.
class Altered final : public Executor {
 public:
  using Alter = std::function<void(Graph&, PlanOptions&)>;
  explicit Altered(Alter alter, int backward_times = 1)
      : alter_(std::move(alter)), backward_times_(backward_times) {}
  std::unique_ptr<Plan> plan(const Graph& graph, ParameterStore& parameters,
                             std::span<const Shape> inputs, const PlanOptions& options) override {
    Graph altered = graph;
    PlanOptions altered_options = options;
    alter_(altered, altered_options);
    return std::make_unique<RepeatedBackward>(
        make_reference_executor()->plan(altered, parameters, inputs, altered_options),
        backward_times_);
  }
  std::string name() const override { return "altered"; }

 private:
  Alter alter_;
  int backward_times_;
};

EngineCase named_case(const std::string& name) {
  for (EngineCase& tested : engine_cases()) {
    if (tested.name == name) return std::move(tested);
  }
  throw std::runtime_error("no case " + name);
}

template <typename Op>
Op& operator_of(Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  return std::get<Op>(found->op);
}

TEST(CrossCheck, NamesTheFirstWrongNode) {
  static const EngineCase unet = named_case("unet_transpose");
  static Altered engine([](Graph& graph, PlanOptions&) {
    operator_of<op::Activate>(graph, "down2.relu").activation = {ActivationKind::leaky_relu, 0.01f};
  });
  EXPECT_NONFATAL_FAILURE(expect_engines_agree(engine, unet.graph, unet.inputs),
                          "first wrong node: \"down2.relu\" (activate) is off by");
}

TEST(CrossCheck, SeesRunningStatistics) {
  static const EngineCase norm = named_case("batch_norm_odd");
  static Altered engine([](Graph& graph, PlanOptions&) {
    operator_of<op::BatchNorm>(graph, "norm").momentum = 0.11f;
  });
  EXPECT_NONFATAL_FAILURE(expect_engines_agree(engine, norm.graph, norm.inputs),
                          "norm.running_mean is off by");
}

TEST(CrossCheck, SeesGradients) {
  static const EngineCase conv = named_case("conv_valid");
  static Altered engine([](Graph&, PlanOptions&) {}, 2);
  EXPECT_NONFATAL_FAILURE(expect_engines_agree(engine, conv.graph, conv.inputs),
                          "the gradient of conv.weight is off by");
  expect_engines_agree(engine, conv.graph, conv.inputs, {.mode = Mode::infer});
}

TEST(CrossCheck, SeesErrors) {
  static const EngineCase conv = named_case("conv_valid");
  static Altered engine([](Graph&, PlanOptions& options) { options.mode = Mode::infer; });
  EXPECT_NONFATAL_FAILURE(expect_engines_agree(engine, conv.graph, conv.inputs),
                          "altered: a plan made for inference has no output gradients");
}

}  // namespace
}  // namespace segmentum
