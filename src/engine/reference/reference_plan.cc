#include "engine/reference/reference_plan.h"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Padding with negative margins is for restricted graphs (graph/restrict.h); `validate` judges
/// graphs from files, where it would be a mistake.
Graph without_cuts(Graph graph) {
  for (Node& node : graph.nodes) {
    auto* pad = std::get_if<op::Pad>(&node.op);
    if (pad != nullptr && pad->mode == PadMode::zero && pad->multiple == 1) pad->margin = 0;
  }
  return graph;
}

template <typename T>
std::size_t bytes(const std::vector<BasicTensor<T>>& tensors) {
  std::size_t sum = 0;
  for (const auto& tensor : tensors) {
    if (tensor.data()) sum += static_cast<std::size_t>(tensor.shape().count()) * sizeof(T);
  }
  return sum;
}

bool has_fused_activation(const Operator& op) {
  return fused_activation(op).kind != ActivationKind::none;
}

}  // namespace

template <typename T>
ReferencePlan<T>::ReferencePlan(const Graph& graph, ParameterStore& parameters,
                                std::span<const Shape> inputs, const PlanOptions& options)
    : graph_(graph), store_(&parameters), options_(options) {
  validate(without_cuts(graph_));
  require_parameters(graph_, parameters);
  const std::vector<Shape> shapes = infer_shapes(graph_, inputs);
  const bool train = options_.mode == Mode::train;
  for (std::size_t id = 0; id < shapes.size(); ++id) {
    const bool fused = has_fused_activation(graph_.nodes[id].op);
    values_.emplace_back(shapes[id]);
    linear_values_.push_back(fused ? BasicTensor<T>(shapes[id]) : BasicTensor<T>());
    if (train) value_gradients_.emplace_back(shapes[id]);
  }
  if (!train) return;
  for (const Output& output : graph_.outputs) {
    output_gradients_.emplace_back(shapes[at(output.value)]);
  }
  for (const ParameterSpec& spec : graph_.parameters) {
    if (!is_trainable(spec.role)) continue;
    const bool frozen = options_.frozen.contains(spec.name);
    (frozen ? unread_gradients_ : gradients_).try_emplace(spec.name, spec.shape);
  }
}

template <typename T>
void ReferencePlan<T>::require_training(const char* what) const {
  if (options_.mode != Mode::train) {
    throw Error(std::string("a plan made for inference has no ") + what +
                "; make it with Mode::train");
  }
}

template <typename T>
std::size_t ReferencePlan<T>::output_index(const std::string& name) const {
  const auto found = std::ranges::find(graph_.outputs, name, &Output::name);
  if (found == graph_.outputs.end()) graph_.output(name);  // throws, naming those there are
  return static_cast<std::size_t>(found - graph_.outputs.begin());
}

template <typename T>
BasicTensorView<T> ReferencePlan<T>::input(int index) {
  return values_[at(graph_.inputs.at(at(index)))].view();
}

template <typename T>
BasicTensorView<const T> ReferencePlan<T>::output(const std::string& name) const {
  return value(graph_.output(name));
}

template <typename T>
BasicTensorView<T> ReferencePlan<T>::output_gradient(const std::string& name) {
  require_training("output gradients");
  return output_gradients_[output_index(name)].view();
}

template <typename T>
BasicTensorView<const T> ReferencePlan<T>::input_gradient(int index) const {
  if (options_.mode != Mode::train || !options_.input_gradients) {
    throw Error("this plan has no input gradients; make it with Mode::train and input_gradients");
  }
  return value_gradient(graph_.inputs.at(at(index)));
}

template <typename T>
void ReferencePlan<T>::load_parameters() {
  parameters_.clear();
  for (const ParameterSpec& spec : graph_.parameters) {
    const auto found = overrides_.find(spec.name);
    parameters_.push_back(found != overrides_.end() ? found->second.clone()
                                                    : store_->value(spec.name).template as<T>());
  }
}

template <typename T>
bool ReferencePlan<T>::learns(const Node& node) const {
  return std::ranges::any_of(node.parameters, [&](int index) {
    return gradients_.contains(graph_.parameters[at(index)].name);
  });
}

template <typename T>
reference::Sources<T> ReferencePlan<T>::sources(ValueId id) const {
  const Node& node = graph_.node(id);
  reference::Sources<T> result;
  for (ValueId input : node.inputs) result.inputs.push_back(value(input));
  for (int index : node.parameters) result.parameters.push_back(parameters_[at(index)].view());
  result.batch_statistics =
      options_.mode == Mode::train && !options_.frozen_batch_norm && learns(node);
  const auto* dropout = std::get_if<op::Dropout>(&node.op);
  if (dropout && options_.mode == Mode::train) {
    result.dropout.emplace(run_.seed, run_.step, id, dropout->rate);
  }
  return result;
}

template <typename T>
void ReferencePlan<T>::forward(const RunOptions& options) {
  run_ = options;
  load_parameters();
  for (BasicTensor<T>& gradient : output_gradients_) std::ranges::fill(gradient.values(), T{0});
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) run_node(static_cast<ValueId>(id));
}

/// The rows above move up from where the run before left them; those of the input come below.
template <typename T>
void ReferencePlan<T>::carry_rows(const CarriedRows& carried) {
  const BasicTensorView<T> all = values_[at(carried.pad)].view();
  const BasicTensorView<const T> added = value(graph_.node(carried.pad).inputs[0]);
  const std::int64_t above = all.shape.h() - carried.each;
  const std::int64_t first = carried.first + run_.band * carried.each;
  for (std::int64_t plane = 0; plane < all.shape.n() * all.shape.c(); ++plane) {
    const std::int64_t n = plane / all.shape.c(), c = plane % all.shape.c();
    for (std::int64_t y = 0; y < all.shape.h(); ++y) {
      const bool inside = first + y >= 0 && first + y < carried.height;
      for (std::int64_t x = 0; x < all.shape.w(); ++x) {
        const T value = y < above ? all(n, c, y + carried.each, x) : added(n, c, y - above, x);
        all(n, c, y, x) = inside ? value : T{0};
      }
    }
  }
}

template <typename T>
void ReferencePlan<T>::run_node(ValueId id) {
  const auto carried = std::ranges::find(options_.carried, id, &CarriedRows::pad);
  if (carried != options_.carried.end()) return carry_rows(*carried);
  const Node& node = graph_.node(id);
  const bool fused = has_fused_activation(node.op);
  BasicTensor<T>& made = fused ? linear_values_[at(id)] : values_[at(id)];
  const reference::Sources<T> from = sources(id);
  std::visit(
      [&](const auto& op) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, op::Input>) {
          reference::forward(op, from, made.view());
        }
      },
      node.op);
  if (fused) {
    reference::activate(fused_activation(node.op), std::as_const(made).view(),
                        values_[at(id)].view());
  }
  if (std::holds_alternative<op::BatchNorm>(node.op) && from.batch_statistics) {
    move_running_statistics(node);
  }
}

template <typename T>
void ReferencePlan<T>::move_running_statistics(const Node& node) {
  const double momentum = std::get<op::BatchNorm>(node.op).momentum;
  const auto statistics = reference::channel_statistics(value(node.inputs[0]));
  const auto move = [&](int parameter, const std::vector<double>& towards) {
    Tensor& running = store_->change(graph_.parameters[at(parameter)].name);
    for (std::size_t c = 0; c < towards.size(); ++c) {
      float& moved = running.values()[c];
      moved = static_cast<float>((1 - momentum) * moved + momentum * towards[c]);
    }
  };
  move(node.parameters[2], statistics.mean);
  move(node.parameters[3], statistics.unbiased_variance);
}

template <typename T>
void ReferencePlan<T>::backward() {
  require_training("backward");
  for (BasicTensor<T>& gradient : value_gradients_) std::ranges::fill(gradient.values(), T{0});
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const auto sum = value_gradients_[at(graph_.outputs[i].value)].values();
    std::ranges::transform(sum, output_gradients_[i].values(), sum.begin(), std::plus<T>());
  }
  for (std::size_t id = graph_.nodes.size(); id-- > 0;) run_node_backward(static_cast<ValueId>(id));
}

template <typename T>
void ReferencePlan<T>::run_node_backward(ValueId id) {
  const Node& node = graph_.node(id);
  const bool fused = has_fused_activation(node.op);
  BasicTensor<T> linear_gradient;
  reference::Gradients<T> gradients;
  gradients.value = fused ? std::as_const(linear_values_[at(id)]).view() : value(id);
  gradients.output = value_gradient(id);
  if (fused) {
    linear_gradient = BasicTensor<T>(gradients.value.shape);
    reference::activate_backward(fused_activation(node.op), gradients.value, gradients.output,
                                 linear_gradient.view());
    gradients.output = linear_gradient.view();
  }
  for (ValueId input : node.inputs) gradients.inputs.push_back(value_gradients_[at(input)].view());
  for (int index : node.parameters) {
    const ParameterSpec& spec = graph_.parameters[at(index)];
    if (!is_trainable(spec.role)) {
      gradients.parameters.push_back({});
      continue;
    }
    auto& home = gradients_.contains(spec.name) ? gradients_ : unread_gradients_;
    gradients.parameters.push_back(home.at(spec.name).view());
  }
  std::visit(
      [&](const auto& op) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, op::Input>) {
          reference::backward(op, sources(id), gradients);
        }
      },
      node.op);
}

template <typename T>
std::size_t ReferencePlan<T>::memory_bytes() const {
  std::size_t sum = bytes(values_) + bytes(linear_values_) + bytes(value_gradients_) +
                    bytes(output_gradients_) + bytes(parameters_);
  for (const auto& [name, gradient] : gradients_) {
    sum += static_cast<std::size_t>(gradient.shape().count()) * sizeof(T);
  }
  return sum;
}

template class ReferencePlan<float>;
template class ReferencePlan<double>;

}  // namespace segmentum
