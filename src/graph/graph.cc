#include "graph/graph.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/counted.h"
#include "graph/operator_fields.h"
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

std::vector<ParameterSpec> mean_field_specs(const std::string& name, const op::MeanField& o,
                                            int channels) {
  const std::int64_t labels = mean_field_labels(channels);
  std::vector<ParameterSpec> specs;
  const auto add = [&](const char* suffix, const Shape& shape, Init init) {
    specs.push_back({name + suffix, shape, ParameterRole::pairwise, init});
  };
  if (o.spatial_weight > 0) add(".spatial", {labels}, Init::ones);
  if (o.bilateral_weight > 0) add(".bilateral", {labels}, Init::ones);
  add(".compatibility", {labels, labels}, Init::potts);
  return specs;
}

void require_groups(int channels, int groups, const char* what) {
  if (groups < 1 || channels % groups != 0) {
    throw Error(std::to_string(channels) + " " + what + " cannot be split into " +
                counted(groups, "group"));
  }
}

std::size_t expected_inputs(const Operator& op) {
  return std::visit(
      Overloaded{[](const op::Input&) -> std::size_t { return 0; },
                 [](const op::Conv& conv) -> std::size_t { return conv.add ? 2 : 1; },
                 [](const op::Resize& r) -> std::size_t { return r.scale == 0 ? 2 : 1; },
                 [](const op::Add&) -> std::size_t { return 2; },
                 [](const op::Multiply&) -> std::size_t { return 2; },
                 [](const op::Maximum&) -> std::size_t { return 2; },
                 [](const op::Crop&) -> std::size_t { return 2; },
                 [](const op::MeanField&) -> std::size_t { return 2; },
                 [](const auto&) -> std::size_t { return 1; }},
      op);
}

/// What a whole-number setting must be, told where one is not.
void require_range(const char* name, std::int64_t value, std::int64_t lowest,
                   std::int64_t highest = kLargestSetting) {
  if (value < lowest || value > highest) {
    throw Error("has " + std::string(name) + " " + std::to_string(value) + "; expected " +
                std::to_string(lowest) + " to " + std::to_string(highest));
  }
}

void require_real(const char* name, float value, bool good, const char* expected) {
  if (!good || !std::isfinite(value)) {
    throw Error("has " + std::string(name) + " " + std::to_string(value) + "; expected " +
                expected);
  }
}

/// The range that holds for a setting wherever it stands.
struct FieldCheck {
  void operator()(const char* name, int value, int lowest) const {
    require_range(name, value, lowest);
  }
  void operator()(const char* name, Size2 value, int lowest) const {
    require_range(name, std::min(value.h, value.w), lowest);
    require_range(name, std::max(value.h, value.w), lowest);
  }
  void operator()(const char* name, const Padding& value, int lowest) const {
    for (int side : {value.top, value.left, value.bottom, value.right}) {
      require_range(name, side, lowest);
    }
  }
  void operator()(const char* name, float value, int) const {
    require_real(name, value, value >= 0, "a finite number from 0 up");
  }
  void operator()(const char* name, const std::vector<float>& values, int lowest) const {
    for (const float value : values) {
      if (lowest >= 0) operator()(name, value, lowest);
      require_real(name, value, true, "a finite number");
    }
  }
  void operator()(const char*, const Activation& value, int) const {
    require_real("slope", value.slope, true, "a finite number");
  }
  void operator()(const char*, const auto&, int) const {}
};

/// A window that lies in the padding alone would have no maximum and no mean.
template <typename Pool>
void validate_pool(const Pool& o) {
  require_range("padding", std::max(o.padding.top, o.padding.bottom), 0, o.kernel.h - 1);
  require_range("padding", std::max(o.padding.left, o.padding.right), 0, o.kernel.w - 1);
}

void validate_mean_field(const op::MeanField& o) {
  require_range("iterations", o.iterations, 1, CrfSettings::kMostIterations);
  const auto require_positive = [](const char* name, float sigma) {
    require_real(name, sigma, sigma > 0, "a number above 0");
  };
  require_positive("spatial_sigma_px", o.spatial_sigma_px);
  require_positive("bilateral_sigma_px", o.bilateral_sigma_px);
  require_positive("bilateral_sigma_colour", o.bilateral_sigma_colour);
  if (o.spatial_weight == 0 && o.bilateral_weight == 0) {
    throw Error("has no kernel: spatial_weight and bilateral_weight are both 0");
  }
}

constexpr int kLargestGrid = 1 << 10;  // its square is still a number of channels

/// The settings that would make an operator meaningless, divide by zero or overflow.
void validate_settings(const Operator& op) {
  std::visit([](const auto& o) { visit_fields(o, FieldCheck{}); }, op);
  std::visit(
      Overloaded{
          [](const op::BatchNorm& o) {
            require_real("momentum", o.momentum, o.momentum <= 1, "0 to 1");
          },
          [](const op::MaxPool& o) { validate_pool(o); },
          [](const op::AveragePool& o) { validate_pool(o); },
          [](const op::Pad& o) { require_range("remainder", o.remainder, 0, o.multiple - 1); },
          [](const op::Resize& o) {
            if (o.scale == 0) require_range("divisor", o.divisor, 1, 1);
          },
          [](const op::Dropout& o) {
            require_real("rate", o.rate, o.rate < 1, "0 to less than 1");
          },
          [](const op::LocationGrid& o) { require_range("grid", o.grid, 1, kLargestGrid); },
          [](const op::MeanField& o) { validate_mean_field(o); }, [](const auto&) {}},
      op);
}

/// Names stand in files and in messages of one line.
void require_name(const std::string& what, const std::string& name) {
  const auto is_control = [](unsigned char letter) { return letter < ' ' || letter == 127; };
  if (name.empty() || std::ranges::any_of(name, is_control)) {
    throw Error(what + " has a name that is empty or holds control characters");
  }
}

/// As a real number, so that no product of extents overflows.
void require_parameter_size(const ParameterSpec& spec) {
  double numbers = 1;
  for (int axis = 0; axis < spec.shape.rank(); ++axis) {
    numbers *= static_cast<double>(spec.shape[axis]);
  }
  if (numbers > 0x1p40) {
    throw Error("would need " + spec.name + " of " + spec.shape.to_string() +
                " numbers; at most 2^40 are supported");
  }
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
            std::vector<ParameterSpec> specs{
                {name + ".weight",
                 {in, o.channels / o.groups, o.kernel.h, o.kernel.w},
                 o.learnt ? ParameterRole::weight : ParameterRole::fixed_weight,
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
          [&](const op::LayerNorm&) -> std::vector<ParameterSpec> { return norm_specs(name, in); },
          [&](const op::MeanField& o) { return mean_field_specs(name, o, input_channels); },
          [](const auto&) -> std::vector<ParameterSpec> { return {}; }},
      op);
}

namespace {

/// What a mean field asks of the channels of its picture.
void require_picture(const op::MeanField& o, int channels) {
  const auto require_each = [&](const std::vector<float>& values, const char* what) {
    if (values.size() == 1 || static_cast<int>(values.size()) == channels) return;
    throw Error("has " + std::to_string(values.size()) + " " + what + " for a picture of " +
                counted(channels, "channel") + "; expected one, or one for each");
  };
  require_each(o.levels, "levels");
  require_each(o.zero_levels, "zero_levels");
  constexpr int kMostChannels = DenseCrf::kMostFeatures - 2;  // besides x and y
  if (o.bilateral_weight > 0 && channels > kMostChannels) {
    throw Error("compares colours of " + counted(channels, "channel") + "; at most " +
                std::to_string(kMostChannels) + " are possible (bilateral_weight 0: none)");
  }
}

}  // namespace

int output_channels(const Operator& op, std::span<const int> in) {
  if (!std::holds_alternative<op::Concat>(op) && in.size() != expected_inputs(op)) {
    throw Error("reads " + counted(in.size(), "value") + "; expected " +
                std::to_string(expected_inputs(op)));
  }
  validate_settings(op);
  const auto require_equal = [&] {
    if (in[0] != in[1]) {
      throw Error("joins values of " + std::to_string(in[0]) + " and " + counted(in[1], "channel") +
                  "; they must be equal");
    }
    return in[0];
  };
  return std::visit(Overloaded{[](const op::Input& o) { return o.channels; },
                               [&](const op::Conv& o) {
                                 require_groups(in[0], o.groups, "input channels");
                                 require_groups(o.channels, o.groups, "output channels");
                                 if (o.add && in[1] != o.channels) {
                                   throw Error("adds a value of " + counted(in[1], "channel") +
                                               " to " + std::to_string(o.channels));
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
                                 std::int64_t sum = 0;
                                 for (int channels : in) sum += channels;
                                 require_range("channels", sum, 1);
                                 return static_cast<int>(sum);
                               },
                               [&](const op::Add&) { return require_equal(); },
                               [&](const op::Multiply&) { return require_equal(); },
                               [&](const op::Maximum&) { return require_equal(); },
                               [&](const op::LocationGrid& o) {
                                 require_groups(in[0], o.grid * o.grid, "channels");
                                 return in[0] / (o.grid * o.grid);
                               },
                               [&](const op::MeanField& o) {
                                 require_picture(o, in[1]);
                                 return in[0];
                               },
                               [&](const auto&) { return in[0]; }},
                    op);
}

namespace {

/// Inputs and outputs: each input node listed once, each output a value under a name of its own.
void validate_interface(const Graph& graph) {
  const auto in_range = [&](ValueId v) {
    return v >= 0 && static_cast<std::size_t>(v) < graph.nodes.size();
  };
  const auto is_input = [](const Node& node) { return std::holds_alternative<op::Input>(node.op); };
  for (ValueId input : graph.inputs) {
    if (!in_range(input) || !is_input(graph.node(input))) {
      throw Error("the network's inputs name a node that is no input");
    }
  }
  const std::set<ValueId> listed(graph.inputs.begin(), graph.inputs.end());
  const auto inputs = std::ranges::count_if(graph.nodes, is_input);
  if (listed.size() != graph.inputs.size() || static_cast<std::size_t>(inputs) != listed.size()) {
    throw Error("the network must list each of its inputs once");
  }
  if (graph.inputs.empty()) throw Error("the network has no input");
  if (graph.outputs.empty()) throw Error("the network has no output");
  std::set<std::string> names;
  for (const Output& output : graph.outputs) {
    require_name("an output", output.name);
    if (!in_range(output.value)) throw Error("output \"" + output.name + "\" names no node");
    if (!names.insert(output.name).second) {
      throw Error("output \"" + output.name + "\" stands twice");
    }
  }
}

}  // namespace

void validate(const Graph& graph) {
  std::set<std::string> names;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    require_name("node number " + std::to_string(id + 1), node.name);
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
        require_parameter_size(specs[i]);
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
  validate_interface(graph);
}

}  // namespace segmentum
