#include "graph/graph_edit.h"

#include <utility>

#include "graph/rewrite.h"

namespace segmentum {
namespace {

std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size(), false);
  for (ValueId input : graph.inputs) needed[static_cast<std::size_t>(input)] = true;
  for (const Output& output : graph.outputs) needed[static_cast<std::size_t>(output.value)] = true;
  for (std::size_t id = graph.nodes.size(); id-- > 0;) {
    if (!needed[id]) continue;
    for (ValueId input : graph.nodes[id].inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

/// Gives parameters new indices in the order in which they are first asked for.
class ParameterOrder {
 public:
  explicit ParameterOrder(const Graph& graph) : from_(graph), index_(graph.parameters.size(), -1) {}

  int operator()(int old, std::vector<ParameterSpec>& into) {
    int& index = index_[static_cast<std::size_t>(old)];
    if (index < 0) {
      index = static_cast<int>(into.size());
      into.push_back(from_.parameters[static_cast<std::size_t>(old)]);
    }
    return index;
  }

 private:
  const Graph& from_;
  std::vector<int> index_;
};

}  // namespace

void GraphEdit::replace(ValueId id, Node node) {
  this->node(id) = std::move(node);
  recount();
}

void GraphEdit::forward(ValueId id, ValueId by) {
  for (Node& reader : graph_.nodes) {
    for (ValueId& input : reader.inputs) {
      if (input == id) input = by;
    }
  }
  for (Output& output : graph_.outputs) {
    if (output.value == id) output.value = by;
  }
  detach(id);
}

void GraphEdit::detach(ValueId id) {
  node(id) = Node{};  // names are never empty in a valid graph
  recount();
}

int GraphEdit::add_parameter(ParameterSpec spec) {
  graph_.parameters.push_back(std::move(spec));
  return static_cast<int>(graph_.parameters.size()) - 1;
}

Graph GraphEdit::finished() && {
  Graph result = remove_unused(graph_);
  validate(result);
  return result;
}

Graph remove_unused(const Graph& graph) {
  const std::vector<bool> needed = needed_nodes(graph);
  std::vector<ValueId> moved(graph.nodes.size(), -1);
  const auto renumber = [&](ValueId& value) { value = moved[static_cast<std::size_t>(value)]; };
  ParameterOrder parameter_order(graph);
  Graph result;
  result.architecture = graph.architecture;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    if (!needed[id]) continue;
    moved[id] = static_cast<ValueId>(result.nodes.size());
    Node node = graph.nodes[id];
    for (ValueId& input : node.inputs) renumber(input);
    for (int& index : node.parameters) index = parameter_order(index, result.parameters);
    result.nodes.push_back(std::move(node));
  }
  result.inputs = graph.inputs;
  for (ValueId& input : result.inputs) renumber(input);
  result.outputs = graph.outputs;
  for (Output& output : result.outputs) renumber(output.value);
  return result;
}

Graph keep_outputs(const Graph& graph, std::span<const std::string> names) {
  Graph result = graph;
  result.outputs.clear();
  for (const std::string& name : names) result.outputs.push_back({name, graph.output(name)});
  result = remove_unused(result);
  validate(result);
  return result;
}

}  // namespace segmentum
