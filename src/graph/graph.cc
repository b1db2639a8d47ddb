#include "graph/graph.h"

#include <algorithm>
#include <set>

#include "segmentum/error.h"

namespace segmentum {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // Clang before 17 does not deduce it

std::vector<ParameterSpec> norm_specs(const std::string& name, std::int64_t channels) {
  return {{name + ".weight", {channels}, ParameterRole::norm_weight, Init::ones},
          {name + ".bias", {channels}, ParameterRole::norm_bias, Init::zeros}};
}

void require_groups(int channels, int groups, const char* what) {
  if (groups < 1 || channels % groups != 0) {
    throw Error(std::to_string(channels) + " " + what + " cannot be split into " +
                std::to_string(groups) + " groups");
  }
}

std::size_t expected_inputs(const Operator& op) {
  return std::visit(
      Overloaded{[](const op::Input&) -> std::size_t { return 0; },
                 [](const op::Conv& conv) -> std::size_t { return conv.add ? 2 : 1; },
                 [](const op::Resize& r) -> std::size_t { return r.scale == 0 ? 2 : 1; },
                 [](const op::Add&) -> std::size_t { return 2; },
                 [](const op::Multiply&) -> std::size_t { return 2; },
                 [](const op::Crop&) -> std::size_t { return 2; },
                 [](const auto&) -> std::size_t { return 1; }},
      op);
}

bool positive(Size2 size) {
  return size.h > 0 && size.w > 0;
}

/// The settings that would make an operator meaningless or divide by zero.
void validate_settings(const Operator& op) {
  const bool good = std::visit(
      Overloaded{
          [](const op::Input& o) { return o.channels > 0; },
          [](const op::Conv& o) {
            return o.channels > 0 && positive(o.kernel) && positive(o.stride) &&
                   positive(o.dilation) && o.groups > 0;
          },
          [](const op::TransposedConv& o) {
            return o.channels > 0 && positive(o.kernel) && positive(o.stride) && o.groups > 0;
          },
          [](const op::MaxPool& o) { return positive(o.kernel) && positive(o.stride); },
          [](const op::AveragePool& o) { return positive(o.kernel) && positive(o.stride); },
          [](const op::Pad& o) {
            return o.multiple > 0 && o.remainder >= 0 && o.remainder < o.multiple &&
                   std::min({o.margin.top, o.margin.left, o.margin.bottom, o.margin.right}) >= 0;
          },
          [](const op::Resize& o) { return o.scale >= 0; },
          [](const op::Dropout& o) { return o.rate >= 0 && o.rate < 1; },
          [](const auto&) { return true; }},
      op);
  if (!good) throw Error("has settings out of range");
}

}  // namespace

ValueId Graph::output(const std::string& name) const {
  std::string known;
  for (const Output& output : outputs) {
    if (output.name == name) return output.value;
    known += (known.empty() ? "" : ", ") + output.name;
  }
  throw Error("the network has no output \"" + name + "\"; it has " + known);
}

std::vector<int> Graph::use_counts() const {
  std::vector<int> uses(nodes.size(), 0);
  for (const Node& node : nodes) {
    for (ValueId input : node.inputs) ++uses[static_cast<std::size_t>(input)];
  }
  for (const Output& output : outputs) ++uses[static_cast<std::size_t>(output.value)];
  return uses;
}

std::vector<ParameterSpec> parameter_specs(const std::string& name, const Operator& op,
                                           int input_channels) {
  const std::int64_t in = input_channels;
  return std::visit(
      Overloaded{
          [&](const op::Conv& o) -> std::vector<ParameterSpec> {
            std::vector<ParameterSpec> specs{{name + ".weight",
                                              {o.channels, in / o.groups, o.kernel.h, o.kernel.w},
                                              ParameterRole::weight,
                                              o.init}};
            if (o.bias) {
              specs.push_back({name + ".bias", {o.channels}, ParameterRole::bias, Init::zeros});
            }
            return specs;
          },
          [&](const op::TransposedConv& o) -> std::vector<ParameterSpec> {
            std::vector<ParameterSpec> specs{{name + ".weight",
                                              {in, o.channels / o.groups, o.kernel.h, o.kernel.w},
                                              ParameterRole::weight,
                                              o.init}};
            if (o.bias) {
              specs.push_back({name + ".bias", {o.channels}, ParameterRole::bias, Init::zeros});
            }
            return specs;
          },
          [&](const op::BatchNorm&) -> std::vector<ParameterSpec> {
            auto specs = norm_specs(name, in);
            specs.push_back(
                {name + ".running_mean", {in}, ParameterRole::running_mean, Init::zeros});
            specs.push_back({name + ".running_var", {in}, ParameterRole::running_var, Init::ones});
            return specs;
          },
          [&](const op::GroupNorm&) -> std::vector<ParameterSpec> { return norm_specs(name, in); },
          [](const auto&) -> std::vector<ParameterSpec> { return {}; }},
      op);
}

int output_channels(const Operator& op, std::span<const int> in) {
  if (!std::holds_alternative<op::Concat>(op) && in.size() != expected_inputs(op)) {
    throw Error("reads " + std::to_string(in.size()) + " values; expected " +
                std::to_string(expected_inputs(op)));
  }
  validate_settings(op);
  const auto require_equal = [&] {
    if (in[0] != in[1]) {
      throw Error("joins values of " + std::to_string(in[0]) + " and " + std::to_string(in[1]) +
                  " channels; they must be equal");
    }
    return in[0];
  };
  return std::visit(Overloaded{[](const op::Input& o) { return o.channels; },
                               [&](const op::Conv& o) {
                                 require_groups(in[0], o.groups, "input channels");
                                 require_groups(o.channels, o.groups, "output channels");
                                 if (o.add && in[1] != o.channels) {
                                   throw Error("adds a value of " + std::to_string(in[1]) +
                                               " channels to " + std::to_string(o.channels));
                                 }
                                 return o.channels;
                               },
                               [&](const op::TransposedConv& o) {
                                 require_groups(in[0], o.groups, "input channels");
                                 require_groups(o.channels, o.groups, "output channels");
                                 return o.channels;
                               },
                               [&](const op::GroupNorm& o) {
                                 require_groups(in[0], o.groups, "channels");
                                 return in[0];
                               },
                               [&](const op::Concat&) {
                                 if (in.empty()) throw Error("joins no values");
                                 int sum = 0;
                                 for (int channels : in) sum += channels;
                                 return sum;
                               },
                               [&](const op::Add&) { return require_equal(); },
                               [&](const op::Multiply&) { return require_equal(); },
                               [&](const auto&) { return in[0]; }},
                    op);
}

void validate(const Graph& graph) {
  std::set<std::string> names;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    try {
      if (!names.insert(node.name).second) throw Error("the name stands twice");
      std::vector<int> channels;
      for (ValueId input : node.inputs) {
        if (input < 0 || static_cast<std::size_t>(input) >= id) {
          throw Error("reads a value that is not made before it");
        }
        channels.push_back(graph.node(input).channels);
      }
      if (output_channels(node.op, channels) != node.channels) {
        throw Error("makes another number of channels than stated");
      }
      const auto specs = parameter_specs(node.name, node.op, channels.empty() ? 0 : channels[0]);
      if (specs.size() != node.parameters.size()) throw Error("has a wrong number of parameters");
      for (std::size_t i = 0; i < specs.size(); ++i) {
        const int index = node.parameters[i];
        if (index < 0 || static_cast<std::size_t>(index) >= graph.parameters.size()) {
          throw Error("names a parameter that does not exist");
        }
        const ParameterSpec& have = graph.parameters[static_cast<std::size_t>(index)];
        if (have.shape != specs[i].shape || have.role != specs[i].role) {
          throw Error("needs parameter " + have.name + " as " + specs[i].shape.to_string() +
                      ", it is " + have.shape.to_string());
        }
      }
    } catch (const Error& error) {
      throw Error("node \"" + node.name + "\" (" + operator_name(node.op) + ") " + error.what());
    }
  }
  const auto in_range = [&](ValueId v) {
    return v >= 0 && static_cast<std::size_t>(v) < graph.nodes.size();
  };
  for (ValueId input : graph.inputs) {
    if (!in_range(input) || !std::holds_alternative<op::Input>(graph.node(input).op)) {
      throw Error("the network's inputs name a node that is no input");
    }
  }
  if (graph.inputs.empty()) throw Error("the network has no input");
  if (graph.outputs.empty()) throw Error("the network has no output");
  for (const Output& output : graph.outputs) {
    if (!in_range(output.value)) throw Error("output \"" + output.name + "\" names no node");
  }
}

}  // namespace segmentum
