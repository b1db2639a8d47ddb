#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "graph/graph_edit.h"
#include "graph/rewrite.h"

namespace segmentum {
namespace {

/// y = x * scale + shift, channel by channel: a batch norm with its statistics put in.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// Folds on a graph under change; parameters that it changes or makes are kept beside the store.
class BatchNormFolder {
 public:
  explicit BatchNormFolder(const ParameterStore& parameters) : given_(parameters) {}

  bool operator()(GraphEdit& edit) {
    bool changed = false;
    for (ValueId id = 0; id < edit.size(); ++id) {
      if (!edit.get<op::BatchNorm>(id)) continue;
      const ValueId x = edit.node(id).inputs[0];
      if (edit.uses(x) != 1 || shares_parameters(edit.graph(), x)) continue;
      if (auto* conv = edit.get<op::Conv>(x); conv && !conv->add) {
        changed |= fold(edit, id, *conv);
      } else if (auto* up = edit.get<op::TransposedConv>(x)) {
        changed |= fold(edit, id, *up);
      }
    }
    return changed;
  }

  /// The parameters of the finished graph.
  ParameterStore parameters_of(const Graph& graph) && {
    ParameterStore result;
    for (const ParameterSpec& spec : graph.parameters) {
      const auto found = changed_.find(spec.name);
      result.add(
          spec.name, spec.role,
          found == changed_.end() ? given_.value(spec.name).clone() : std::move(found->second));
    }
    return result;
  }

 private:
  /// What was changed by an earlier fold, else what was given.
  const Tensor& value(const Graph& graph, const Node& node, std::size_t which) const {
    const auto index = static_cast<std::size_t>(node.parameters[which]);
    const std::string& name = graph.parameters[index].name;
    const auto found = changed_.find(name);
    return found == changed_.end() ? given_.value(name) : found->second;
  }

  static bool shares_parameters(const Graph& graph, ValueId id) {
    const std::vector<int>& own = graph.node(id).parameters;
    int uses = 0;
    for (const Node& node : graph.nodes) {
      for (int index : node.parameters) uses += std::ranges::count(own, index) > 0;
    }
    return uses > static_cast<int>(own.size());
  }

  Affine affine(const Graph& graph, const Node& norm) const {
    const auto gamma = value(graph, norm, 0).values(), beta = value(graph, norm, 1).values();
    const auto mean = value(graph, norm, 2).values(), var = value(graph, norm, 3).values();
    const double epsilon = std::get<op::BatchNorm>(norm.op).epsilon;
    Affine result;
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      const double scale = gamma[c] / std::sqrt(var[c] + epsilon);
      result.scale.push_back(scale);
      result.shift.push_back(beta[c] - mean[c] * scale);
    }
    return result;
  }

  template <typename Convolution>
  bool fold(GraphEdit& edit, ValueId norm_id, Convolution& conv) {
    if (conv.activation.kind != ActivationKind::none) return false;
    const ValueId conv_id = edit.node(norm_id).inputs[0];
    Node& node = edit.node(conv_id);
    const Affine affine = this->affine(edit.graph(), edit.node(norm_id));

    Tensor weight = value(edit.graph(), node, 0).clone();
    scale_outputs(weight, conv, affine.scale);
    Tensor bias(Shape{conv.channels});
    for (std::size_t c = 0; c < affine.shift.size(); ++c) {
      const double before = conv.bias ? value(edit.graph(), node, 1).values()[c] : 0.0;
      bias.values()[c] = static_cast<float>(before * affine.scale[c] + affine.shift[c]);
    }
    if (!conv.bias) {
      node.parameters.push_back(edit.add_parameter(
          {new_bias_name(edit.graph(), node), bias.shape(), ParameterRole::bias, Init::zeros}));
    }
    changed_.insert_or_assign(name_of(edit.graph(), node, 0), std::move(weight));
    changed_.insert_or_assign(name_of(edit.graph(), node, 1), std::move(bias));
    conv.bias = true;
    conv.activation = std::get<op::BatchNorm>(edit.node(norm_id).op).activation;
    edit.forward(norm_id, conv_id);
    return true;
  }

  /// Weights [O, I/groups, kh, kw].
  static void scale_outputs(Tensor& weight, const op::Conv&, const std::vector<double>& scale) {
    const auto values = weight.values();
    const std::size_t each = values.size() / scale.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(values[i] * scale[i / each]);
    }
  }

  /// Weights [I, O/groups, kh, kw]: input channel i belongs to group i / (I/groups).
  static void scale_outputs(Tensor& weight, const op::TransposedConv& up,
                            const std::vector<double>& scale) {
    const Shape& shape = weight.shape();
    const auto values = weight.values();
    const auto plane = static_cast<std::size_t>(shape[2] * shape[3]);
    const auto outputs = static_cast<std::size_t>(shape[1]);
    const auto inputs_of_group = static_cast<std::size_t>(shape[0] / up.groups);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t output = i / plane % outputs, input = i / plane / outputs;
      values[i] = static_cast<float>(values[i] * scale[input / inputs_of_group * outputs + output]);
    }
  }

  static const std::string& name_of(const Graph& graph, const Node& node, std::size_t which) {
    return graph.parameters[static_cast<std::size_t>(node.parameters[which])].name;
  }

  static std::string new_bias_name(const Graph& graph, const Node& node) {
    std::set<std::string> taken;
    for (const ParameterSpec& spec : graph.parameters) taken.insert(spec.name);
    std::string name = node.name + ".bias";
    while (taken.contains(name)) name += "_folded";
    return name;
  }

  const ParameterStore& given_;
  std::map<std::string, Tensor> changed_;
};

GraphWithParameters finished(GraphEdit&& edit, BatchNormFolder&& folder) {
  Graph graph = std::move(edit).finished();
  ParameterStore parameters = std::move(folder).parameters_of(graph);
  return {std::move(graph), std::move(parameters)};
}

}  // namespace

GraphWithParameters fold_batch_norm(const Graph& graph, const ParameterStore& parameters) {
  require_parameters(graph, parameters);
  GraphEdit edit(graph);
  BatchNormFolder fold(parameters);
  fold(edit);
  return finished(std::move(edit), std::move(fold));
}

GraphWithParameters optimise_for_inference(const Graph& graph, const ParameterStore& parameters) {
  require_parameters(graph, parameters);
  GraphEdit edit(remove_unused(graph));
  BatchNormFolder fold(parameters);
  bool changed = true;
  while (changed) {  // ends: every step removes a node or moves a convolution up, past a resize
    changed = drop_dropout(edit);
    changed |= fold(edit);
    changed |= fuse_activation(edit);
    changed |= move_pointwise_before_resize(edit);
    changed |= fuse_add(edit);
  }
  return finished(std::move(edit), std::move(fold));
}

}  // namespace segmentum
