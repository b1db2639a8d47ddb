#include "engine/cpu/lowering.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lower_spread.h"
#include "engine/cpu/onednn_convolution.h"
#include "engine/cpu/recomputation.h"
#include "graph/analysis.h"
#include "graph/regions.h"

namespace segmentum::cpu {
namespace {

/// A node that changes nothing at this size and in this mode.
bool is_identity(const Graph& graph, const std::vector<Shape>& shapes, ValueId id, bool training) {
  const Node& node = graph.node(id);
  if (node.inputs.empty()) return false;
  const bool same =
      shapes[static_cast<std::size_t>(id)] == shapes[static_cast<std::size_t>(node.inputs[0])];
  if (std::holds_alternative<op::Dropout>(node.op)) {
    return !training || std::get<op::Dropout>(node.op).rate == 0;
  }
  if (const auto* activate = std::get_if<op::Activate>(&node.op)) {
    return activate->activation.kind == ActivationKind::none;
  }
  return same &&
         (std::holds_alternative<op::Pad>(node.op) || std::holds_alternative<op::Crop>(node.op) ||
          std::holds_alternative<op::Resize>(node.op));
}

}  // namespace

std::optional<Size2> cuts_at(const Operator& op, const Shape& in, const Shape& out) {
  if (const auto* crop = std::get_if<op::Crop>(&op)) {
    return resolve_crop(*crop, in.h(), in.w(), out.h(), out.w());
  }
  const auto* pad = std::get_if<op::Pad>(&op);
  if (pad == nullptr) return std::nullopt;
  const Padding p = resolve_padding(*pad, in.h(), in.w());
  if (std::max({p.top, p.left, p.bottom, p.right}) > 0) return std::nullopt;
  return Size2(-p.top, -p.left);
}

Lowering::Lowering(const Graph& graph, ParameterStore& parameters, std::span<const Shape> inputs,
                   const PlanOptions& options, const CpuOptions& cpu_options,
                   PackedWeightCache& weights, Gradients& gradients)
    : graph_(graph),
      parameters_(parameters),
      options_(options),
      exact_(cpu_options.exact),
      weights_(weights),
      gradients_(gradients),
      shapes_(infer_shapes(graph, inputs)),
      uses_(graph.use_counts()),
      never_cut_(segmentum::never_cut(graph)) {
  const std::size_t count = graph.nodes.size();
  fused_.resize(count);
  places_.resize(count);
  wants_gradient_.resize(count, false);
  homes_.resize(count);
  gradient_homes_.resize(count);
  gradient_written_.resize(count, false);
  find_aliases();
  find_fused_activations();
  find_carried();
  find_read_in_parts();
  place_in_concatenations();
  find_gradients_wanted();
  find_drawn();
  find_separable();
  find_spread_inputs();
  find_pooled();
}

void Lowering::find_aliases() {
  root_.resize(graph_.nodes.size());
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const auto value = static_cast<ValueId>(id);
    root_[id] = is_identity(graph_, shapes_, value, training())
                    ? root_[static_cast<std::size_t>(graph_.nodes[id].inputs[0])]
                    : value;
  }
}

/// What the kernel of `op` can apply to its results. A batch norm's gradient computes them again; a
/// convolution's is told the derivative by its result.
bool Lowering::can_apply(const Operator& op, const Activation& activation) const {
  if (std::holds_alternative<op::BatchNorm>(op)) return keeps_zero(activation);
  if (!std::holds_alternative<op::Conv>(op)) return false;
  return training() ? can_fuse(activation) : keeps_zero(activation);
}

/// norm -> relu and conv -> relu become one kernel where nobody else reads what lies between.
void Lowering::find_fused_activations() {
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& node = graph_.nodes[id];
    const auto* activate = std::get_if<op::Activate>(&node.op);
    if (activate == nullptr || root_[id] != static_cast<ValueId>(id)) continue;
    const ValueId source = node.inputs[0];
    if (uses_[static_cast<std::size_t>(source)] != 1) continue;
    const auto source_root = static_cast<std::size_t>(root_[static_cast<std::size_t>(source)]);
    if (source_root != static_cast<std::size_t>(source)) continue;
    const Operator& op = graph_.nodes[source_root].op;
    if (fused_activation(op).kind != ActivationKind::none) continue;
    if (!can_apply(op, activate->activation)) continue;
    fused_[source_root] = activate->activation;
    for (ValueId& root : root_) {
      if (root == static_cast<ValueId>(id)) root = static_cast<ValueId>(source_root);
    }
  }
}

/// How many steps and callers read a value, by root.
std::vector<int> Lowering::count_readers() const {
  std::vector<int> readers(graph_.nodes.size(), 0);
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    if (root_[id] != static_cast<ValueId>(id)) continue;  // an alias has no step
    for (ValueId input : graph_.nodes[id].inputs) ++readers[root(input)];
  }
  for (const Output& output : graph_.outputs) ++readers[root(output.value)];
  return readers;
}

/// Our own kernels write rows wherever they lie; oneDNN's write one dense image at a time.
bool Lowering::can_write_slices(ValueId id) const {
  const Node& n = node(id);
  if (std::holds_alternative<op::Input>(n.op) || std::holds_alternative<op::Concat>(n.op)) {
    return false;
  }
  if (std::holds_alternative<op::Conv>(n.op)) return !training() || shape(id).n() == 1;
  return true;
}

/// A concatenation's inputs are written where it wants them, if their channels fill whole blocks.
void Lowering::place_in_concatenations() {
  const int block = vector_block();
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& concat = graph_.nodes[id];
    if (!std::holds_alternative<op::Concat>(concat.op) || in_parts_[id]) continue;
    std::int64_t channel = 0;
    for (ValueId input : concat.inputs) {
      const std::size_t source = root(input);
      const auto source_id = static_cast<ValueId>(source);
      const bool fits = channel % block == 0 && node(source_id).channels % block == 0;
      const bool elsewhere = carrier_[source] >= 0 || carried(source_id) != nullptr;
      if (fits && !elsewhere && places_[source].concat < 0 && can_write_slices(source_id)) {
        // The slice of the concatenation's gradient is this value's own gradient if whatever else
        // reads the value comes earlier, so that in reverse it adds to a slice already written.
        bool shares = true;
        for (std::size_t reader = id + 1; reader < graph_.nodes.size(); ++reader) {
          for (ValueId read : graph_.nodes[reader].inputs) {
            if (root(read) == source && root_[reader] == static_cast<ValueId>(reader)) {
              shares = false;
            }
          }
        }
        for (const Output& output : graph_.outputs) shares &= root(output.value) != source;
        const auto is_source = [&](ValueId other) { return root(other) == source; };
        shares &= std::ranges::count_if(concat.inputs, is_source) == 1;
        places_[source] = {static_cast<ValueId>(id), channel, shares};
      }
      channel += node(input).channels;
    }
  }
}

void Lowering::find_gradients_wanted() {
  if (!training()) return;
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& n = graph_.nodes[id];
    bool wanted = std::holds_alternative<op::Input>(n.op) && options_.input_gradients;
    wanted |= learns(static_cast<ValueId>(id));
    for (ValueId input : n.inputs) wanted |= wants_gradient_[root(input)];
    if (wanted) wants_gradient_[root(static_cast<ValueId>(id))] = true;
  }
}

/// What is spread need not be, if nobody else reads it.
void Lowering::find_spread_inputs() {
  if (training()) return;
  const std::vector<int> readers = count_readers();
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (root_[i] != id || separable(id) != nullptr || within_[i]) continue;
    const std::optional<SpreadInput> found = find_spread(*this, id);
    if (!found || readers[root(found->concat)] != 1) continue;
    spread_[id] = *found;
    const std::size_t resize = root(found->resize);
    if (static_cast<ValueId>(resize) == found->resize && readers[resize] == 1) {
      within_[resize] = true;
    }
  }
}

Activation Lowering::activation(ValueId id) const {
  const Activation own = fused_activation(node(id).op);
  return own.kind != ActivationKind::none ? own : fused_[root(id)];
}

int Lowering::new_buffer(std::int64_t floats) {
  program_.buffers.push_back({floats});
  return static_cast<int>(program_.buffers.size()) - 1;
}

Slot Lowering::new_slot(const Shape& shape, int block) {
  const std::int64_t image = image_floats(shape, block);
  return {new_buffer(shape.n() * image), 0, shape, block, image};
}

Slot Lowering::slice(const Slot& whole, std::int64_t channel, const Shape& shape) const {
  Slot slice = whole;
  slice.offset +=
      channel * (whole.window() ? whole.frame_h * whole.frame_w : shape.h() * shape.w());
  slice.shape = shape;
  return slice;
}

/// Whether nobody but the caller reads a value.
bool Lowering::only_output(std::size_t root_id) const {
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    if (root_[id] != static_cast<ValueId>(id)) continue;  // an alias has no step
    for (ValueId input : graph_.nodes[id].inputs) {
      if (root(input) == root_id) return false;
    }
  }
  return true;
}

const Slot& Lowering::value(ValueId id) {
  const std::size_t r = root(id);
  Slot& home = homes_[r];
  if (home.valid()) return home;
  const Node& n = graph_.nodes[r];
  if (carrier_[r] >= 0 && !std::holds_alternative<op::Input>(n.op)) {
    home = added_rows(carrier_[r]);
    return home;
  }
  if (const CarriedRows* rows = carried(static_cast<ValueId>(r))) {
    home = new_carried_slot(*rows);
    return home;
  }
  if (const Place& placed = places_[r]; placed.concat >= 0) {
    home = slice(value(placed.concat), placed.channel, shapes_[r]);
    return home;
  }
  // Pads, crops and dropouts work in any layout and keep their input's; inputs are plain, and so
  // are resized values that go straight to the caller.
  int block = vector_block();
  if (std::holds_alternative<op::Input>(n.op)) block = 1;
  if (std::holds_alternative<op::Resize>(n.op) && only_output(r)) block = 1;
  if (std::holds_alternative<op::Pad>(n.op) || std::holds_alternative<op::Crop>(n.op) ||
      std::holds_alternative<op::Dropout>(n.op)) {
    block = value(n.inputs[0]).block;
  }
  const auto corner = cuts_at(n.op, n.inputs.empty() ? Shape() : shape(n.inputs[0]), shapes_[r]);
  if (corner && block != 1 && !training()) {
    home = window(value(n.inputs[0]), *corner, shapes_[r]);
    return home;
  }
  home = new_slot(shapes_[r], block);
  return home;
}

Slot Lowering::window(const Slot& whole, Size2 corner, const Shape& shape) const {
  Slot window = whole;
  window.frame_h = whole.window() ? whole.frame_h : whole.shape.h();
  window.frame_w = whole.window() ? whole.frame_w : whole.shape.w();
  window.offset += (corner.h * window.frame_w + corner.w) * whole.block;
  window.shape = shape;
  return window;
}

const Slot& Lowering::value_in(ValueId id, int block) {
  const Slot& home = value(id);
  if (home.block == block && !home.window()) return home;
  return dense_value_in(id, block);
}

const Slot& Lowering::window_in(ValueId id) {
  const Slot& home = value(id);
  return home.block == vector_block() ? home : dense_value_in(id, vector_block());
}

const Slot& Lowering::dense_value_in(ValueId id, int block) {
  const Slot from = value(id);
  if (from.block == block && from.dense()) return homes_[root(id)];
  Slot& copy = converted_[{root(id), block}];
  if (!copy.valid()) {
    copy = new_slot(from.shape, block);
    const Slot to = copy;
    if (from.window() && from.block == block) {
      step(id, "cut", {from.buffer, to.buffer},
           [from, to](const Frame& f) { crop(f.view(from), 0, 0, f.view(to)); });
    } else {
      step(id, "reorder", {from.buffer, to.buffer},
           [from, to](const Frame& f) { reorder(f.view(from), f.view(to), false); });
    }
    steps_->back().writes = {to.buffer};
  }
  return copy;
}

const std::string& Lowering::parameter_name(ValueId id, int index) const {
  return graph_
      .parameters[static_cast<std::size_t>(node(id).parameters[static_cast<std::size_t>(index)])]
      .name;
}

const ParameterStore::Parameter& Lowering::parameter(ValueId id, int index) const {
  return parameters_.at(parameter_name(id, index));
}

bool Lowering::learns(ValueId id) const {
  return std::ranges::any_of(node(id).parameters, [&](int index) {
    return gradients_.contains(graph_.parameters[static_cast<std::size_t>(index)].name);
  });
}

float* Lowering::parameter_gradient(ValueId id, int index) {
  const std::string& name = parameter_name(id, index);
  const auto found = gradients_.find(name);
  if (found != gradients_.end()) return found->second.data();
  const Shape& like = parameters_.value(name).shape();
  return program_.unread_gradients.try_emplace(name, like).first->second.data();
}

void Lowering::step(ValueId id, std::string kernel, std::vector<int> buffers,
                    std::function<void(const Frame&)> run) {
  std::erase(buffers, -1);
  std::vector<int> writes = written(id, buffers);
  steps_->push_back(
      {node(id).name, std::move(kernel), std::move(buffers), std::move(run), std::move(writes)});
}

/// Of what a forward step of `id` touches, all but the inputs of the node, in whatever layout; they
/// too where they share its memory.
std::vector<int> Lowering::written(ValueId id, const std::vector<int>& buffers) const {
  std::set<int> read;
  for (ValueId input : node(id).inputs) {
    const std::size_t r = root(input);
    read.insert(homes_[r].buffer);
    for (auto copy = converted_.lower_bound({r, 0});
         copy != converted_.end() && copy->first.first == r; ++copy) {
      read.insert(copy->second.buffer);
    }
  }
  read.erase(homes_[root(id)].buffer);
  std::vector<int> writes = buffers;
  std::erase_if(writes, [&](int buffer) { return read.contains(buffer); });
  return writes;
}

Slot& Lowering::gradient_home(ValueId id) {
  const std::size_t r = root(id);
  Slot& home = gradient_homes_[r];
  if (home.valid()) return home;
  const Slot own = value(id);
  if (const Place& placed = places_[r]; placed.concat >= 0 && placed.shares_gradient) {
    home = slice(gradient_home(placed.concat), placed.channel, shapes_[r]);
    return home;
  }
  // A batch norm is the last to read the convolution before it: the gradient takes that memory
  // over.
  const Node& maker = graph_.nodes[r];
  const bool made_by_conv = (std::holds_alternative<op::Conv>(maker.op) ||
                             std::holds_alternative<op::TransposedConv>(maker.op)) &&
                            activation(static_cast<ValueId>(r)).kind == ActivationKind::none;
  if (made_by_conv && uses_[r] == 1 && own.dense() && places_[r].concat < 0) {
    for (std::size_t reader = r + 1; reader < graph_.nodes.size(); ++reader) {
      const Node& n = graph_.nodes[reader];
      if (std::holds_alternative<op::BatchNorm>(n.op) && n.inputs[0] == static_cast<ValueId>(r)) {
        home = own;
        return home;
      }
    }
  }
  home = new_slot(shapes_[r], own.block);
  return home;
}

Slot Lowering::gradient(ValueId id) {
  return gradient_written_[root(id)] ? gradient_home(id) : Slot{};
}

Lowering::Target Lowering::gradient_target(ValueId id, int block) {
  const Slot home = gradient_home(id);
  if (home.block != block) return {id, new_slot(home.shape, block), false};
  return {id, home, gradient_written_[root(id)]};
}

Lowering::Target Lowering::gradient_target_to_overwrite(ValueId id, int block) {
  Target target = gradient_target(id, block);
  if (target.add || !target.slot.dense()) target = {id, new_slot(shape(id), block), false};
  return target;
}

void Lowering::finish(const Target& target) {
  const std::size_t r = root(target.id);
  const Slot home = gradient_home(target.id);
  const Slot from = target.slot;
  if (from.buffer != home.buffer) {
    const bool add = gradient_written_[r];
    step(target.id, add ? "add gradient" : "move gradient", {from.buffer, home.buffer},
         [from, home, add](const Frame& f) { reorder(f.view(from), f.view(home), add); });
  }
  gradient_written_[r] = true;
}

void Lowering::lower_forward(ValueId id) {
  if (root(id) != static_cast<std::size_t>(id) || drawn_[root(id)] || within_[root(id)]) return;
  if (in_parts_[root(id)]) return;
  const std::size_t first = program_.forward.size();
  std::visit(
      [&]<typename Op>(const Op& op) {
        if constexpr (!std::is_same_v<Op, op::Input>) cpu::lower(*this, id, op);
      },
      node(id).op);
  if (first == program_.forward.size() || node(id).inputs.empty()) return;
  program_.forward[first].work =
      static_cast<double>(multiply_adds(node(id), shape(node(id).inputs[0]), shape(id)));
  for (std::size_t i = first; i < program_.forward.size(); ++i) {
    Step& made = program_.forward[i];
    made.once = fields_.contains(id);
    if (made.node != node(id).name) continue;
    if (const SeparableChain* chain = separable(id)) {
      for (ValueId other : chain->within()) made.within.push_back(node(other).name);
    }
    if (const ValueId pool = pooled(id); pool >= 0) made.within.push_back(node(pool).name);
  }
}

void Lowering::lower_backward(ValueId id) {
  if (root(id) != static_cast<std::size_t>(id)) return;
  if (!gradient_written_[static_cast<std::size_t>(id)] || !wants_gradient(id)) return;
  std::visit(
      [&]<typename Op>(const Op& op) {
        if constexpr (!std::is_same_v<Op, op::Input>) cpu::lower_backward(*this, id, op);
      },
      node(id).op);
}

Program Lowering::lower() && {
  steps_ = &program_.forward;
  for (ValueId input : graph_.inputs) {
    const Slot slot = value(input);
    Buffer& buffer = program_.buffers[static_cast<std::size_t>(slot.buffer)];
    (options_.workspace ? buffer.given : buffer.persistent) = true;
    program_.inputs.push_back(slot);
  }
  lower_rows_before();
  const auto count = static_cast<ValueId>(graph_.nodes.size());
  for (ValueId id = 0; id < count; ++id) lower_forward(id);
  lower_outputs();
  if (training()) {
    for (ValueId id = count - 1; id >= 0; --id) lower_backward(id);
    for (ValueId input : graph_.inputs) {
      if (!options_.input_gradients) break;
      if (!gradient(input).valid()) {  // nothing depends on its values, only on its size
        const Target zero = gradient_target(input, 1);
        step(input, "zero gradient", {zero.slot.buffer}, [slot = zero.slot](const Frame& f) {
          std::fill_n(f.view(slot).data, slot.shape.count(), 0.0f);
        });
        finish(zero);
      }
      program_.input_gradients.push_back(gradient(input));
      const int buffer = program_.input_gradients.back().buffer;
      program_.buffers[static_cast<std::size_t>(buffer)].persistent = true;
    }
  }
  if (training()) recompute_segments(program_, options_.lean);
  plan_memory(program_);
  return std::move(program_);
}

/// Outputs leave in plain layout; their gradients come in the same way. A value that is plain and
/// nobody else's is its own output.
void Lowering::lower_outputs() {
  if (draws_rows()) return lower_drawn_outputs();
  const auto keep = [&](const Slot& slot) {
    Buffer& buffer = program_.buffers[static_cast<std::size_t>(slot.buffer)];
    (options_.workspace ? buffer.kept : buffer.persistent) = true;
    return slot;
  };
  const auto is_input = [&](ValueId id) {
    return std::holds_alternative<op::Input>(graph_.nodes[root(id)].op);
  };
  for (const Output& output : graph_.outputs) {
    const Slot from = value(output.value);
    if (from.block == 1 && from.dense() && !is_input(output.value) &&
        only_output(root(output.value))) {
      program_.outputs.emplace(output.name, keep(from));
      continue;
    }
    const Slot to = keep(new_slot(shape(output.value), 1));
    step(output.value, "output", {from.buffer, to.buffer},
         [from, to](const Frame& f) { reorder(f.view(from), f.view(to), false); });
    program_.outputs.emplace(output.name, to);
  }
  if (!training()) return;
  steps_ = &program_.backward;
  for (const Output& output : graph_.outputs) {
    const Slot slot = keep(new_slot(shape(output.value), 1));
    program_.output_gradients.emplace(output.name, slot);
    if (!wants_gradient(output.value)) continue;
    Slot& home = gradient_homes_[root(output.value)];
    if (!home.valid() && value(output.value).block == 1 && only_output(root(output.value))) {
      home = slot;
    }
    finish({output.value, slot, false});
  }
}

Slot gradient_before_activation(Lowering& l, ValueId id, const Activation& activation, bool dense) {
  const Slot dy = l.gradient(id);
  const bool in_place = dy.dense() || !dense;
  if (activation.kind == ActivationKind::none && in_place) return dy;
  const Slot kept = l.before_activation(id);
  const Slot x = kept.valid() ? kept : l.value(id);
  const Slot out = in_place ? dy : l.new_slot(dy.shape, dy.block);
  l.step(id, std::string("backward ") + activation_name(activation.kind),
         {x.buffer, dy.buffer, out.buffer}, [=](const Frame& f) {
           // relu, leaky_relu and relu6 keep the sign and the range that decide their derivative,
           // so their result serves as well as their input.
           activate_backward(f.view(x), f.view(dy), activation, f.view(out), false);
         });
  return out;
}

}  // namespace segmentum::cpu
