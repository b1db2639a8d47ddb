#include "engine/cross_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "base/random.h"
#include "engine/reference/reference_plan.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using DoublePlan = ReferencePlan<double>;
using ConstDoubleView = BasicTensorView<const double>;

enum Stream : std::uint32_t { kParameters, kInputs, kOutputGradients };

double range_of(ConstDoubleView view) {
  double range = 0;
  for (double value : view.values()) range = std::max(range, std::abs(value));
  return range;
}

/// "" where `have` is within tolerance * range of `want`, else what is worst.
std::string difference(ConstTensorView have, ConstDoubleView want, double tolerance, double range) {
  if (have.shape != want.shape) {
    return "is " + have.shape.to_string() + ", expected " + want.shape.to_string();
  }
  std::size_t worst = 0;
  double largest = -1;
  for (std::size_t i = 0; i < want.values().size(); ++i) {
    double off = std::abs(have.values()[i] - want.values()[i]);
    if (std::isnan(off)) off = INFINITY;
    if (off > largest) {
      largest = off;
      worst = i;
    }
  }
  if (largest <= tolerance * range) return "";
  return "is off by " + std::to_string(largest / range) + " of its range at element " +
         std::to_string(worst) + " of " + want.shape.to_string() + ": " +
         std::to_string(have.values()[worst]) + ", expected " +
         std::to_string(want.values()[worst]);
}

/// Fills both with the same N(0,1) floats.
void fill_both(RandomStream& random, TensorView a, BasicTensorView<double> b) {
  for (std::size_t i = 0; i < a.values().size(); ++i) {
    a.values()[i] = static_cast<float>(random.normal());
    b.values()[i] = a.values()[i];
  }
}

void fill_inputs(RandomStream& random, const Graph& graph, Plan& plan, DoublePlan& reference) {
  for (int i = 0; i < static_cast<int>(graph.inputs.size()); ++i) {
    fill_both(random, plan.input(i), reference.input(i));
  }
}

/// The same graph with every node's value as an output of the node's name.
Graph with_all_values(const Graph& graph) {
  Graph all = graph;
  all.outputs.clear();
  for (ValueId id = 0; id < static_cast<ValueId>(graph.nodes.size()); ++id) {
    all.outputs.push_back({graph.node(id).name, id});
  }
  return all;
}

/// Which node is the first to go wrong, found by making every value an output.
std::string first_wrong_node(Executor& engine, const Graph& graph, const std::vector<Shape>& inputs,
                             const CrossCheck& check) {
  const Graph all = with_all_values(graph);
  ParameterStore parameters = random_parameters(graph, check.seed);
  ParameterStore reference_parameters = parameters.clone();
  const PlanOptions options{
      .mode = check.mode, .frozen_batch_norm = check.frozen_batch_norm, .frozen = check.frozen};
  const auto plan = engine.plan(all, parameters, inputs, options);
  DoublePlan reference(all, reference_parameters, inputs, options);
  RandomStream random(check.seed, 0, kInputs);
  fill_inputs(random, all, *plan, reference);
  plan->forward({.seed = check.seed});
  reference.forward({.seed = check.seed});
  for (const Output& output : all.outputs) {
    const auto want = reference.value(output.value);
    const std::string wrong =
        difference(plan->output(output.name), want, check.value_tolerance, range_of(want));
    if (!wrong.empty()) {
      return "first wrong node: \"" + output.name + "\" (" +
             operator_name(all.node(output.value).op) + ") " + wrong;
    }
  }
  return "every node is right where all values are outputs: look at what happens between nodes "
         "(fusion, aliasing, in-place, reuse of buffers) or between steps";
}

/// One engine and the reference on one graph.
class Comparison {
 public:
  Comparison(Executor& engine, const Graph& graph, const std::vector<Shape>& inputs,
             const CrossCheck& check)
      : engine_(engine),
        graph_(graph),
        shapes_(inputs),
        check_(check),
        options_{check.mode, check.frozen_batch_norm, check.mode == Mode::train, check.frozen},
        parameters_(random_parameters(graph, check.seed)),
        reference_parameters_(parameters_.clone()),
        plan_(engine.plan(graph, parameters_, inputs, options_)),
        reference_(graph, reference_parameters_, inputs, options_) {}

  /// Stops at the first difference, so that the one message is nearest to the cause.
  void run() {
    RandomStream inputs(check_.seed, 0, kInputs);
    RandomStream gradients(check_.seed, 0, kOutputGradients);
    for (int step = 0; step < check_.steps; ++step) {
      fill_inputs(inputs, graph_, *plan_, reference_);
      const RunOptions options{check_.seed, static_cast<std::uint32_t>(step)};
      plan_->forward(options);
      reference_.forward(options);
      std::string wrong = wrong_value();
      if (wrong.empty() && check_.mode == Mode::train) {
        run_backward(gradients);
        wrong = wrong_gradient();
      }
      if (wrong.empty()) continue;
      ADD_FAILURE() << engine_.name() << ", step " << step << ": " << wrong;
      return;
    }
  }

 private:
  std::string wrong_value() const {
    for (const Output& output : graph_.outputs) {
      const auto want = reference_.output(output.name);
      const std::string wrong =
          difference(plan_->output(output.name), want, check_.value_tolerance, range_of(want));
      if (wrong.empty()) continue;
      return "output \"" + output.name + "\" " + wrong + "\n" +
             first_wrong_node(engine_, graph_, shapes_, check_);
    }
    return wrong_running_statistic();
  }

  std::string wrong_running_statistic() const {
    for (const ParameterSpec& spec : graph_.parameters) {
      if (is_trainable(spec.role)) continue;
      const auto want = reference_parameters_.value(spec.name).as<double>();
      const std::string wrong =
          difference(parameters_.value(spec.name).view(), want.view(), check_.value_tolerance,
                     std::max(range_of(want.view()), 1.0));
      if (!wrong.empty()) return spec.name + " " + wrong;
    }
    return "";
  }

  void run_backward(RandomStream& random) {
    for (const Output& output : graph_.outputs) {
      fill_both(random, plan_->output_gradient(output.name),
                reference_.output_gradient(output.name));
    }
    plan_->backward();
    reference_.backward();
  }

  /// From the outputs to the inputs.
  std::string wrong_gradient() {
    double floor = 0;
    for (const auto& [name, gradient] : reference_.gradients()) {
      floor = std::max(floor, 0.1 * range_of(gradient.view()));
    }
    for (std::size_t id = graph_.nodes.size(); id-- > 0;) {
      for (int index : graph_.nodes[id].parameters) {
        const ParameterSpec& spec = graph_.parameters[static_cast<std::size_t>(index)];
        if (!is_trainable(spec.role)) continue;
        if (check_.frozen.contains(spec.name)) {
          if (!plan_->gradients().contains(spec.name)) continue;
          return "there is a gradient of " + spec.name + ", which is frozen";
        }
        std::string wrong = wrong_parameter_gradient(spec.name, floor);
        if (!wrong.empty()) return wrong;
      }
    }
    return wrong_input_gradient();
  }

  std::string wrong_parameter_gradient(const std::string& name, double floor) {
    const auto found = plan_->gradients().find(name);
    if (found == plan_->gradients().end()) return "there is no gradient of " + name;
    const auto want = std::as_const(reference_.gradients().at(name)).view();
    const std::string wrong =
        difference(std::as_const(found->second).view(), want, check_.gradient_tolerance,
                   std::max(range_of(want), floor));
    if (wrong.empty()) return "";
    return "the gradient of " + name + " " + wrong +
           "; those of later nodes are right: look at this node or between it and them";
  }

  std::string wrong_input_gradient() const {
    for (int i = 0; i < static_cast<int>(graph_.inputs.size()); ++i) {
      const auto want = reference_.input_gradient(i);
      const std::string wrong =
          difference(plan_->input_gradient(i), want, check_.gradient_tolerance, range_of(want));
      if (wrong.empty()) continue;
      const ValueId id = graph_.inputs[static_cast<std::size_t>(i)];
      return "the gradient of input \"" + graph_.node(id).name + "\" " + wrong +
             "; those of all parameters are right";
    }
    return "";
  }

  Executor& engine_;
  const Graph& graph_;
  const std::vector<Shape>& shapes_;
  const CrossCheck& check_;
  PlanOptions options_;
  ParameterStore parameters_;
  ParameterStore reference_parameters_;
  std::unique_ptr<Plan> plan_;
  DoublePlan reference_;
};

}  // namespace

ParameterStore random_parameters(const Graph& graph, std::uint64_t seed) {
  ParameterStore store;
  RandomStream random(seed, 0, kParameters);
  for (const ParameterSpec& spec : graph.parameters) {
    Tensor value(spec.shape);
    const double fan_in = static_cast<double>(spec.shape.count()) /
                          static_cast<double>(std::max<std::int64_t>(spec.shape[0], 1));
    for (float& number : value.values()) {
      switch (spec.role) {
        case ParameterRole::weight:
        case ParameterRole::fixed_weight:
          number = static_cast<float>(random.normal() * std::sqrt(1.5 / fan_in));
          break;
        case ParameterRole::norm_weight:
        case ParameterRole::running_var:
          number = static_cast<float>(random.uniform(0.5, 1.5));
          break;
        default:
          number = static_cast<float>(random.normal() * 0.3);
      }
    }
    store.add(spec.name, spec.role, std::move(value));
  }
  return store;
}

void expect_engines_agree(Executor& engine, const Graph& graph, const std::vector<Shape>& inputs,
                          const CrossCheck& check) {
  try {
    Comparison(engine, graph, inputs, check).run();
  } catch (const Error& error) {
    ADD_FAILURE() << engine.name() << ": " << error.what();
  }
}

}  // namespace segmentum
