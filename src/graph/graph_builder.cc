#include <numeric>
#include <utility>

#include "base/counted.h"
#include "graph/graph.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Which nodes depend on `from` and are needed for `to`, the latter included; up to `to`.
std::vector<bool> nodes_between(const Graph& graph, ValueId from, ValueId to) {
  const auto at = [](ValueId id) { return static_cast<std::size_t>(id); };
  std::vector<bool> dependent(at(to) + 1, false), between(at(to) + 1, false);
  if (from <= to) dependent[at(from)] = true;
  for (ValueId id = from + 1; id <= to; ++id) {
    for (ValueId input : graph.node(id).inputs) {
      if (dependent[at(input)]) dependent[at(id)] = true;
    }
  }
  if (from >= to || !dependent[at(to)]) {
    throw Error("\"" + graph.node(to).name + "\" does not depend on \"" + graph.node(from).name +
                "\", so nothing can be repeated from there");
  }
  between[at(to)] = true;
  for (ValueId id = to; id > from; --id) {
    if (!between[at(id)]) continue;
    for (ValueId input : graph.node(id).inputs) {
      if (input != from && dependent[at(input)]) between[at(input)] = true;
    }
  }
  return between;
}

}  // namespace

GraphBuilder::GraphBuilder(std::string architecture) {
  graph_.architecture = std::move(architecture);
}

ValueId GraphBuilder::append(const std::string& name, Operator op, std::vector<ValueId> inputs) {
  std::vector<int> channels;
  for (ValueId input : inputs) channels.push_back(graph_.node(input).channels);
  Node node{name, std::move(op), std::move(inputs), {}, 0};
  try {
    node.channels = output_channels(node.op, channels);
  } catch (const Error& error) {
    throw Error("node \"" + name + "\" (" + operator_name(node.op) + ") " + error.what());
  }
  for (ParameterSpec& spec :
       parameter_specs(name, node.op, channels.empty() ? 0 : channels.front())) {
    node.parameters.push_back(static_cast<int>(graph_.parameters.size()));
    graph_.parameters.push_back(std::move(spec));
  }
  graph_.nodes.push_back(std::move(node));
  return static_cast<ValueId>(graph_.nodes.size()) - 1;
}

ValueId GraphBuilder::input(const std::string& name, op::Input options) {
  const ValueId value = append(name, options, {});
  graph_.inputs.push_back(value);
  return value;
}

ValueId GraphBuilder::conv(const std::string& name, ValueId x, op::Conv options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::transposed_conv(const std::string& name, ValueId x,
                                      op::TransposedConv options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::batch_norm(const std::string& name, ValueId x, op::BatchNorm options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::group_norm(const std::string& name, ValueId x, op::GroupNorm options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::layer_norm(const std::string& name, ValueId x, op::LayerNorm options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::activate(const std::string& name, ValueId x, Activation activation) {
  return append(name, op::Activate{activation}, {x});
}

ValueId GraphBuilder::max_pool(const std::string& name, ValueId x, op::MaxPool options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::average_pool(const std::string& name, ValueId x, op::AveragePool options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::global_average_pool(const std::string& name, ValueId x) {
  return append(name, op::GlobalAveragePool{}, {x});
}

ValueId GraphBuilder::resize(const std::string& name, ValueId x, op::Resize options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::resize_like(const std::string& name, ValueId x, ValueId like,
                                  op::Resize options) {
  options.scale = 0;
  return append(name, options, {x, like});
}

ValueId GraphBuilder::concat(const std::string& name, std::vector<ValueId> values) {
  return append(name, op::Concat{}, std::move(values));
}

ValueId GraphBuilder::add(const std::string& name, ValueId a, ValueId b) {
  return append(name, op::Add{}, {a, b});
}

ValueId GraphBuilder::multiply(const std::string& name, ValueId x, ValueId factor) {
  return append(name, op::Multiply{}, {x, factor});
}

ValueId GraphBuilder::pad(const std::string& name, ValueId x, op::Pad options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::crop_like(const std::string& name, ValueId x, ValueId like,
                                op::Crop options) {
  return append(name, options, {x, like});
}

ValueId GraphBuilder::dropout(const std::string& name, ValueId x, op::Dropout options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::softmax(const std::string& name, ValueId x) {
  return append(name, op::Softmax{}, {x});
}

ValueId GraphBuilder::maximum(const std::string& name, ValueId a, ValueId b) {
  return append(name, op::Maximum{}, {a, b});
}

ValueId GraphBuilder::repeat(const std::string& suffix, ValueId from, ValueId to, ValueId x) {
  if (channels(x) != channels(from)) {
    throw Error("what is repeated from \"" + graph_.node(from).name + "\" reads " +
                counted(channels(from), "channel") + "; \"" + graph_.node(x).name + "\" has " +
                std::to_string(channels(x)));
  }
  const std::vector<bool> between = nodes_between(graph_, from, to);
  std::vector<ValueId> stands_for(between.size());
  std::iota(stands_for.begin(), stands_for.end(), 0);
  stands_for[static_cast<std::size_t>(from)] = x;
  for (std::size_t id = 0; id < between.size(); ++id) {
    if (!between[id]) continue;
    Node node = graph_.nodes[id];
    node.name += suffix;
    for (ValueId& input : node.inputs) input = stands_for[static_cast<std::size_t>(input)];
    stands_for[id] = static_cast<ValueId>(graph_.nodes.size());
    graph_.nodes.push_back(std::move(node));
  }
  return stands_for[static_cast<std::size_t>(to)];
}

ValueId GraphBuilder::location_grid(const std::string& name, ValueId x, op::LocationGrid options) {
  return append(name, options, {x});
}

ValueId GraphBuilder::mean_field(const std::string& name, ValueId scores, ValueId picture,
                                 op::MeanField options) {
  return append(name, std::move(options), {scores, picture});
}

void GraphBuilder::output(const std::string& name, ValueId value) {
  graph_.outputs.push_back({name, value});
}

Graph GraphBuilder::build() && {
  validate(graph_);
  return std::move(graph_);
}

}  // namespace segmentum
