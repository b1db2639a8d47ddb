// Concatenations that are not made. Where a part of one lies elsewhere and would be copied, as what
// a decoder takes of an encoder's larger value does, and where Winograd's kernel alone reads it,
// that reads the parts as they lie.
#include <algorithm>

#include "engine/cpu/conv_pass.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

/// Whether the node's value is a window of its input's.
bool Lowering::is_cut(std::size_t id) const {
  const Node& n = graph_.nodes[id];
  return !n.inputs.empty() && carried(static_cast<ValueId>(id)) == nullptr &&
         cuts_at(n.op, shape(n.inputs[0]), shapes_[id]);
}

/// Whether all that read the value are convolutions of ours that can take its parts, or cut it for
/// such.
bool Lowering::can_be_read_in_parts(std::size_t value) const {
  if (carrier_[value] >= 0) return false;
  for (const Output& output : graph_.outputs) {
    if (root(output.value) == value) return false;
  }
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& n = graph_.nodes[id];
    if (root_[id] != static_cast<ValueId>(id)) continue;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      if (root(n.inputs[i]) != value) continue;
      const auto* conv = std::get_if<op::Conv>(&n.op);
      const bool reads = i == 0 && conv != nullptr &&
                         winograd_pays(*this, geometry_of(*conv, shape(n.inputs[0]), shapes_[id]));
      if (!reads && !(is_cut(id) && can_be_read_in_parts(id))) return false;
    }
  }
  return true;
}

/// Whether a part of the concatenation is a window, and all of them can stay where they are.
bool Lowering::has_parts_elsewhere(const Node& concat) const {
  bool elsewhere = false;
  for (std::size_t i = 0; i < concat.inputs.size(); ++i) {
    const std::size_t part = root(concat.inputs[i]);
    std::size_t made = part;
    while (is_cut(made)) made = root(graph_.nodes[made].inputs[0]);
    const Operator& op = graph_.nodes[made].op;
    const bool magnified = std::holds_alternative<op::Resize>(op);  // has ways of its own
    if (magnified || std::holds_alternative<op::Input>(op) || in_parts_[made]) return false;
    const bool whole_blocks = graph_.nodes[part].channels % vector_block() == 0;
    if (!whole_blocks && i + 1 < concat.inputs.size()) return false;
    elsewhere = elsewhere || made != part || carried(static_cast<ValueId>(part)) != nullptr;
  }
  return elsewhere;
}

void Lowering::find_read_in_parts() {
  in_parts_.resize(graph_.nodes.size(), false);
  if (training()) return;
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& n = graph_.nodes[id];
    if (root_[id] != static_cast<ValueId>(id)) continue;
    if (std::holds_alternative<op::Concat>(n.op)) {
      in_parts_[id] = has_parts_elsewhere(n) && can_be_read_in_parts(id);
    } else if (is_cut(id)) {
      in_parts_[id] = in_parts_[root(n.inputs[0])];
    }
  }
}

std::vector<Slot> Lowering::parts_of(ValueId id) {
  const std::size_t r = root(id);
  if (!in_parts_[r]) return {window_in(id)};
  const Node& n = graph_.nodes[r];
  std::vector<Slot> parts;
  if (std::holds_alternative<op::Concat>(n.op)) {
    for (ValueId input : n.inputs) parts.push_back(window_in(input));
    return parts;
  }
  const Size2 corner = *cuts_at(n.op, shape(n.inputs[0]), shapes_[r]);
  for (const Slot& part : parts_of(n.inputs[0])) {
    Shape cut = shapes_[r];
    cut[1] = part.shape.c();
    parts.push_back(window(part, corner, cut));
  }
  return parts;
}

}  // namespace segmentum::cpu
