#include "graph/rewrite.h"

#include <algorithm>
#include <utility>

#include "graph/analysis.h"
#include "graph/graph_edit.h"

namespace segmentum {
namespace {

/// Where an activation can be fused to: in a node that may have one and has none yet.
Activation* free_activation(Operator& op) {
  const auto slot = [](Activation& activation) {
    return activation.kind == ActivationKind::none ? &activation : nullptr;
  };
  if (auto* conv = std::get_if<op::Conv>(&op)) return slot(conv->activation);
  if (auto* up = std::get_if<op::TransposedConv>(&op)) return slot(up->activation);
  if (auto* norm = std::get_if<op::BatchNorm>(&op)) return slot(norm->activation);
  if (auto* add = std::get_if<op::Add>(&op)) return slot(add->activation);
  return nullptr;
}

bool is_plain_pointwise(const op::Conv& conv) {
  return conv.kernel == Size2(1) && conv.stride == Size2(1) && conv.padding == Padding(0) &&
         !conv.add;
}

bool at_least(Ratio a, Ratio b) {
  return a.over * b.under >= b.over * a.under;
}

/// Whether a resize makes nothing smaller, whatever the picture's size.
bool magnifies(const Graph& graph, ValueId resize) {
  const Node& node = graph.node(resize);
  const auto& settings = std::get<op::Resize>(node.op);
  if (settings.scale > 0) return settings.scale >= settings.divisor;
  const auto strides = output_strides(graph);
  const auto& from = strides[static_cast<std::size_t>(node.inputs[0])];
  const auto& to = strides[static_cast<std::size_t>(resize)];
  if (!to) return false;
  return !from || (at_least(from->y, to->y) && at_least(from->x, to->x));
}

bool can_fuse_add(GraphEdit& edit, ValueId value) {
  const auto* conv = edit.get<op::Conv>(value);
  return conv && !conv->add && conv->activation.kind == ActivationKind::none &&
         edit.uses(value) == 1;
}

Graph rewritten(const Graph& graph, bool (*step)(GraphEdit&)) {
  GraphEdit edit(graph);
  step(edit);
  return std::move(edit).finished();
}

}  // namespace

bool drop_dropout(GraphEdit& edit) {
  bool changed = false;
  for (ValueId id = 0; id < edit.size(); ++id) {
    if (!edit.get<op::Dropout>(id)) continue;
    edit.forward(id, edit.node(id).inputs[0]);
    changed = true;
  }
  return changed;
}

bool fuse_activation(GraphEdit& edit) {
  bool changed = false;
  for (ValueId id = 0; id < edit.size(); ++id) {
    const auto* activate = edit.get<op::Activate>(id);
    if (!activate) continue;
    const ValueId x = edit.node(id).inputs[0];
    if (activate->activation.kind != ActivationKind::none) {
      Activation* slot = free_activation(edit.node(x).op);
      if (!slot || edit.uses(x) != 1) continue;
      *slot = activate->activation;
    }
    edit.forward(id, x);
    changed = true;
  }
  return changed;
}

bool fuse_add(GraphEdit& edit) {
  bool changed = false;
  for (ValueId id = 0; id < edit.size(); ++id) {
    const auto* add = edit.get<op::Add>(id);
    if (!add) continue;
    const auto [first, second] = std::minmax(edit.node(id).inputs[0], edit.node(id).inputs[1]);
    const ValueId conv = can_fuse_add(edit, second) ? second : first;
    if (!can_fuse_add(edit, conv)) continue;
    Node fused = edit.node(conv);
    fused.inputs.push_back(conv == first ? second : first);
    auto& settings = std::get<op::Conv>(fused.op);
    settings.add = true;
    settings.activation = add->activation;
    edit.replace(id, std::move(fused));
    edit.detach(conv);
    changed = true;
  }
  return changed;
}

bool move_pointwise_before_resize(GraphEdit& edit) {
  bool changed = false;
  for (ValueId id = 0; id < edit.size(); ++id) {
    const auto* conv = edit.get<op::Conv>(id);
    if (!conv || !is_plain_pointwise(*conv)) continue;
    const ValueId x = edit.node(id).inputs[0];
    const auto* resize = edit.get<op::Resize>(x);
    if (!resize || edit.uses(x) != 1 || edit.node(id).channels >= edit.node(x).channels) continue;
    const bool linear = conv->activation.kind == ActivationKind::none;
    if (!linear && resize->mode != Interpolation::nearest) continue;
    if (!magnifies(edit.graph(), x)) continue;
    Node first = edit.node(id), then = edit.node(x);
    first.inputs[0] = then.inputs[0];
    then.inputs[0] = x;
    then.channels = first.channels;
    edit.replace(x, std::move(first));
    edit.replace(id, std::move(then));
    changed = true;
  }
  return changed;
}

Graph drop_dropout(const Graph& graph) {
  return rewritten(graph, drop_dropout);
}

Graph fuse_activation(const Graph& graph) {
  return rewritten(graph, fuse_activation);
}

Graph fuse_add(const Graph& graph) {
  return rewritten(graph, fuse_add);
}

Graph move_pointwise_before_resize(const Graph& graph) {
  return rewritten(graph, move_pointwise_before_resize);
}

}  // namespace segmentum
