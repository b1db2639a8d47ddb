// A graph under change: what the rewrites share.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// Nodes are changed in place and detached when nothing reads them any more; `finished` removes
/// those and renumbers. Between the two, detached nodes remain, without inputs.
class GraphEdit {
 public:
  explicit GraphEdit(Graph graph) : graph_(std::move(graph)), uses_(graph_.use_counts()) {}

  ValueId size() const { return static_cast<ValueId>(graph_.nodes.size()); }
  const Graph& graph() const { return graph_; }
  Node& node(ValueId id) { return graph_.nodes[static_cast<std::size_t>(id)]; }
  /// The operator, or null where it is of another kind or detached.
  template <typename Op>
  Op* get(ValueId id) {
    return detached(id) ? nullptr : std::get_if<Op>(&node(id).op);
  }
  /// How many nodes and outputs read the value.
  int uses(ValueId value) const { return uses_[static_cast<std::size_t>(value)]; }

  /// Another node in the place of `id`; it must make the same value, or nobody may notice.
  void replace(ValueId id, Node node);
  /// All that read `id` read `by` instead, which stands before it; `id` is detached.
  void forward(ValueId id, ValueId by);
  void detach(ValueId id);
  /// The index of a new parameter.
  int add_parameter(ParameterSpec spec);

  /// Without what no output needs; validated.
  Graph finished() &&;

 private:
  bool detached(ValueId id) const { return graph_.node(id).name.empty(); }
  void recount() { uses_ = graph_.use_counts(); }

  Graph graph_;
  std::vector<int> uses_;
};

/// The steps of rewrite.h on a graph under change; true if something changed.
bool drop_dropout(GraphEdit& edit);
bool fuse_activation(GraphEdit& edit);
bool fuse_add(GraphEdit& edit);
bool move_pointwise_before_resize(GraphEdit& edit);

}  // namespace segmentum
