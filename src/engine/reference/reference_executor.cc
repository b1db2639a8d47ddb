#include "engine/reference/reference_plan.h"
#include "engine/score_rows.h"

namespace segmentum {
namespace {

class FloatPlan final : public Plan {
 public:
  FloatPlan(const Graph& graph, ParameterStore& parameters, std::span<const Shape> inputs,
            const PlanOptions& options)
      : plan_(graph, parameters, inputs, options) {}

  TensorView input(int index) override { return plan_.input(index); }
  void forward(const RunOptions& options) override { plan_.forward(options); }
  ConstTensorView output(const std::string& name) const override { return plan_.output(name); }
  const ScoreRows& rows(const std::string& name) override {
    std::unique_ptr<ScoreRows>& rows = rows_[name];
    if (!rows) rows = std::make_unique<OutputRows>(*this, name);
    return *rows;
  }
  TensorView output_gradient(const std::string& name) override {
    return plan_.output_gradient(name);
  }
  void backward() override { plan_.backward(); }
  Gradients& gradients() override { return plan_.gradients(); }
  ConstTensorView input_gradient(int index) const override { return plan_.input_gradient(index); }
  std::size_t memory_bytes() const override { return plan_.memory_bytes(); }

 private:
  ReferencePlan<float> plan_;
  std::map<std::string, std::unique_ptr<ScoreRows>> rows_;  // those that were asked for
};

class ReferenceExecutor final : public Executor {
 public:
  std::unique_ptr<Plan> plan(const Graph& graph, ParameterStore& parameters,
                             std::span<const Shape> inputs, const PlanOptions& options) override {
    return std::make_unique<FloatPlan>(graph, parameters, inputs, options);
  }
  std::string name() const override { return "reference"; }
};

}  // namespace

std::unique_ptr<Executor> make_reference_executor() {
  return std::make_unique<ReferenceExecutor>();
}

}  // namespace segmentum
