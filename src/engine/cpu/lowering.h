// From a graph to a program: where every value lies, which kernel makes it, how gradients come
// back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/packed_weights.h"
#include "engine/cpu/program.h"
#include "engine/executor.h"

namespace segmentum::cpu {

class MeanFieldState;

/// A magnified value beside another in a concatenation that is not made (lower_magnified.cc).
struct MagnifiedInput {
  ValueId source = -1;                                      // what is magnified
  ValueId other = -1;                                       // what stands beside it
  std::int64_t first_channel = 0, other_first_channel = 0;  // of the concatenation
  std::vector<ValueId> between{};  // the concatenation, cuts and pads, the resize
};

/// 1x1, depthwise and 1x1 convolution of which nobody reads what lies between; -1 for one of the
/// 1x1 that is not there.
struct SeparableChain {
  ValueId expand = -1;
  ValueId depthwise = -1;
  ValueId project = -1;
  std::optional<MagnifiedInput> magnified{};  // of the depthwise one's input
  ValueId first() const { return expand >= 0 ? expand : depthwise; }
  ValueId last() const { return project >= 0 ? project : depthwise; }
  /// The nodes that have no step of their own.
  std::vector<ValueId> within() const;
};

/// One pixel that a resize spreads over the map, the last part of a concatenation
/// (lower_spread.cc).
struct SpreadInput {
  ValueId concat = -1;
  ValueId resize = -1;
  ValueId source = -1;             // the pixel
  std::int64_t first_channel = 0;  // of it in the concatenation
};

/// Where the result of a crop, or of a pad that does no more than cut, begins in its input; nothing
/// for all other operators.
std::optional<Size2> cuts_at(const Operator& op, const Shape& in, const Shape& out);

/// What the lowering of one operator may ask for. Forward lowering runs over the nodes in order,
/// backward lowering over them in reverse; a gradient is complete when its node's turn comes.
class Lowering {
 public:
  Lowering(const Graph& graph, ParameterStore& parameters, std::span<const Shape> inputs,
           const PlanOptions& options, const CpuOptions& cpu_options, PackedWeightCache& weights,
           Gradients& gradients);

  Program lower() &&;

  // --- for the operators -----------------------------------------------------------------------
  const Node& node(ValueId id) const { return graph_.node(id); }
  const Shape& shape(ValueId id) const { return shapes_[static_cast<std::size_t>(id)]; }
  ParameterStore& parameters() { return parameters_; }
  PackedWeightCache& weights() { return weights_; }
  bool training() const { return options_.mode == Mode::train; }
  /// Whether Winograd's kernels are out of the question.
  bool exact() const { return exact_; }
  /// Whether the node is only ever run on whole pictures: see `segmentum::never_cut`.
  bool never_cut(ValueId id) const { return never_cut_[static_cast<std::size_t>(id)]; }
  /// Whether a batch norm normalises by its running statistics: all do, or this one is frozen.
  bool frozen_batch_norm(ValueId id) const { return options_.frozen_batch_norm || !learns(id); }
  /// Whether a parameter of the node has a gradient.
  bool learns(ValueId id) const;
  /// The activation that the kernel of `id` applies: its own, or that of the only node that reads
  /// it.
  Activation activation(ValueId id) const;

  /// The home of a value; made on first use.
  const Slot& value(ValueId id);
  /// The value in another layout and no window, converted once if need be.
  const Slot& value_in(ValueId id, int block);
  /// The value in blocks, for kernels that read windows.
  const Slot& window_in(ValueId id);
  /// The same, one image right after the other.
  const Slot& dense_value_in(ValueId id, int block);
  /// As windows, for kernels that read several values one after the other as if they were
  /// concatenated: one, or those of a concatenation that is not made (lower_in_parts.cc).
  std::vector<Slot> parts_of(ValueId id);
  Slot new_slot(const Shape& shape, int block);
  int new_buffer(std::int64_t floats);
  const std::string& parameter_name(ValueId id, int index) const;
  const ParameterStore::Parameter& parameter(ValueId id, int index) const;
  /// Where the gradient of a parameter is summed; of a frozen one beside one that is learnt, where
  /// nobody reads it.
  float* parameter_gradient(ValueId id, int index);

  /// For activations whose derivative needs their input: what a fused kernel had before its
  /// activation.
  void keep_before_activation(ValueId id, const Slot& slot) { before_activation_[id] = slot; }
  Slot before_activation(ValueId id) const {
    const auto found = before_activation_.find(id);
    return found == before_activation_.end() ? Slot{} : found->second;
  }

  /// What a step found when it first ran, for when it runs again: kept between.
  void note(int buffer) { program_.buffers[static_cast<std::size_t>(buffer)].noted = true; }

  /// A buffer that the forward step of `id` leaves for its backward step: moments, winners.
  void keep_arrays(ValueId id, int buffer) { arrays_[id] = buffer; }
  int arrays(ValueId id) const { return arrays_.at(id); }
  /// The same for the lattices of a mean field.
  void keep_field(ValueId id, std::shared_ptr<MeanFieldState> field) {
    fields_[id] = std::move(field);
  }
  const std::shared_ptr<MeanFieldState>& field(ValueId id) const { return fields_.at(id); }

  /// For what a step keeps outside of the arena: `bytes` says how much it is when it is asked.
  void count_memory(std::function<std::size_t()> bytes) {
    program_.beside_arena.push_back(std::move(bytes));
  }

  /// Appends a step to the pass being lowered.
  void step(ValueId id, std::string kernel, std::vector<int> buffers,
            std::function<void(const Frame&)> run);

  bool wants_gradient(ValueId id) const { return wants_gradient_[root(id)]; }
  /// dLoss/dvalue, complete; invalid if nothing depends on the value.
  Slot gradient(ValueId id);
  /// Where an operator leaves (part of) dLoss/dvalue in layout `block`, and whether it must add to
  /// it.
  struct Target {
    ValueId id;
    Slot slot;
    bool add;
  };
  Target gradient_target(ValueId id, int block);
  /// The same for kernels that cannot add.
  Target gradient_target_to_overwrite(ValueId id, int block);
  /// Call after the step that wrote the target.
  void finish(const Target& target);
  /// The gradient of `id` was written by whoever wrote the memory it shares.
  void gradient_is_written(ValueId id) { gradient_written_[root(id)] = true; }

  /// The convolutions that run as one step whose result is that of `id` (lower_separable.cc), or
  /// null.
  const SeparableChain* separable(ValueId id) const {
    const auto found = chains_.find(static_cast<ValueId>(root(id)));
    return found == chains_.end() ? nullptr : &found->second;
  }

  /// The 2x2 pooling that convolution `id` does on the way out (lower_pooling.cc), or -1.
  ValueId pooled(ValueId id) const {
    const auto found = pooled_.find(id);
    return found == pooled_.end() ? -1 : found->second;
  }

  /// Whether nobody but that pooling reads the convolution's results, so that they are not kept.
  bool only_pooled(ValueId id) const { return only_pooled_.contains(id); }

  /// What of the input of convolution `id` becomes its bias, or null.
  const SpreadInput* spread(ValueId id) const {
    const auto found = spread_.find(id);
    return found == spread_.end() ? nullptr : &found->second;
  }
  /// Whether nobody reads the value of `id` as it is, so that it is not made.
  bool is_within(ValueId id) const { return within_[root(id)]; }

  /// What a pad holds of the run before, or null.
  const CarriedRows* carried(ValueId pad) const;
  /// The rows of a carried pad that its input brings.
  Slot added_rows(ValueId pad);
  void lower_carried(const CarriedRows& carried);

  // --- structure, decided before any step ------------------------------------------------------
  /// The node whose home `id` shares, or `id`.
  std::size_t root(ValueId id) const { return static_cast<std::size_t>(root_[id]); }
  /// The concatenation in whose memory `id` is written, or -1, and the channel it starts at.
  struct Place {
    ValueId concat = -1;
    std::int64_t channel = 0;
    bool shares_gradient = false;
  };
  const Place& place(ValueId id) const { return places_[root(id)]; }

 private:
  void find_aliases();
  void find_fused_activations();
  void find_carried();
  bool is_cut(std::size_t id) const;
  bool can_be_read_in_parts(std::size_t value) const;
  bool has_parts_elsewhere(const Node& concat) const;
  void find_read_in_parts();
  void place_in_concatenations();
  void find_gradients_wanted();
  std::vector<int> count_readers() const;
  void find_separable();
  void find_spread_inputs();
  void find_pooled();
  bool draws_rows() const { return options_.outputs == OutputForm::rows && !training(); }
  void find_drawn();
  bool for_rows_alone(std::size_t root) const;
  DrawnOutput drawn_output(ValueId output);
  bool can_apply(const Operator& op, const Activation& activation) const;
  bool only_output(std::size_t root) const;
  bool can_write_slices(ValueId id) const;
  void lower_rows_before();
  Slot new_carried_slot(const CarriedRows& carried);
  void lower_forward(ValueId id);
  void lower_backward(ValueId id);
  void lower_outputs();
  std::vector<int> written(ValueId id, const std::vector<int>& buffers) const;
  void lower_drawn_outputs();
  Slot window(const Slot& whole, Size2 corner, const Shape& shape) const;
  Slot slice(const Slot& whole, std::int64_t channel, const Shape& shape) const;
  Slot& gradient_home(ValueId id);

  const Graph& graph_;
  ParameterStore& parameters_;
  const PlanOptions options_;
  const bool exact_;
  PackedWeightCache& weights_;
  Gradients& gradients_;
  std::vector<Shape> shapes_;
  std::vector<int> uses_;
  const std::vector<bool> never_cut_;
  std::vector<ValueId> root_;
  std::vector<Activation> fused_;             // by root
  std::vector<ValueId> carrier_;              // by root: the carried pad that reads it, or -1
  std::vector<bool> in_parts_;                // by root: not made, its parts are read
  std::vector<Place> places_;                 // by root
  std::vector<bool> wants_gradient_;          // by root
  std::vector<bool> drawn_;                   // by root: done while rows of an output are read
  std::map<ValueId, SeparableChain> chains_;  // by root of the last
  std::map<ValueId, SpreadInput> spread_;
  std::map<ValueId, ValueId> pooled_;  // by convolution
  std::set<ValueId> only_pooled_;
  std::vector<bool> within_;  // by root: made on the way to the end of a chain, or not at all
  std::vector<Slot> homes_, gradient_homes_;
  std::vector<bool> gradient_written_;                     // by root
  std::map<std::pair<std::size_t, int>, Slot> converted_;  // dense, by root and block
  std::map<ValueId, Slot> before_activation_;
  std::map<ValueId, int> arrays_;
  std::map<ValueId, std::shared_ptr<MeanFieldState>> fields_;
  std::vector<Step>* steps_ = nullptr;
  Program program_;
};

/// The operators, each with its forward and backward steps: lower_*.cc.
void lower(Lowering& l, ValueId id, const op::Conv& conv);
void lower_backward(Lowering& l, ValueId id, const op::Conv& conv);
void lower(Lowering& l, ValueId id, const op::TransposedConv& conv);
void lower_backward(Lowering& l, ValueId id, const op::TransposedConv& conv);
void lower(Lowering& l, ValueId id, const op::BatchNorm& norm);
void lower_backward(Lowering& l, ValueId id, const op::BatchNorm& norm);
void lower(Lowering& l, ValueId id, const op::GroupNorm& norm);
void lower_backward(Lowering& l, ValueId id, const op::GroupNorm& norm);
void lower(Lowering& l, ValueId id, const op::LayerNorm& norm);
void lower_backward(Lowering& l, ValueId id, const op::LayerNorm& norm);
void lower(Lowering& l, ValueId id, const op::Activate& activate);
void lower_backward(Lowering& l, ValueId id, const op::Activate& activate);
void lower(Lowering& l, ValueId id, const op::MaxPool& pool);
void lower_backward(Lowering& l, ValueId id, const op::MaxPool& pool);
void lower(Lowering& l, ValueId id, const op::AveragePool& pool);
void lower_backward(Lowering& l, ValueId id, const op::AveragePool& pool);
void lower(Lowering& l, ValueId id, const op::GlobalAveragePool& pool);
void lower_backward(Lowering& l, ValueId id, const op::GlobalAveragePool& pool);
void lower(Lowering& l, ValueId id, const op::Resize& resize);
void lower_backward(Lowering& l, ValueId id, const op::Resize& resize);
void lower(Lowering& l, ValueId id, const op::Concat& concat);
void lower_backward(Lowering& l, ValueId id, const op::Concat& concat);
void lower(Lowering& l, ValueId id, const op::Add& add);
void lower_backward(Lowering& l, ValueId id, const op::Add& add);
void lower(Lowering& l, ValueId id, const op::Multiply& multiply);
void lower_backward(Lowering& l, ValueId id, const op::Multiply& multiply);
void lower(Lowering& l, ValueId id, const op::Pad& pad);
void lower_backward(Lowering& l, ValueId id, const op::Pad& pad);
void lower(Lowering& l, ValueId id, const op::Crop& crop);
void lower_backward(Lowering& l, ValueId id, const op::Crop& crop);
void lower(Lowering& l, ValueId id, const op::Dropout& dropout);
void lower_backward(Lowering& l, ValueId id, const op::Dropout& dropout);
void lower(Lowering& l, ValueId id, const op::Softmax& softmax);
void lower_backward(Lowering& l, ValueId id, const op::Softmax& softmax);
void lower(Lowering& l, ValueId id, const op::Maximum& maximum);
void lower_backward(Lowering& l, ValueId id, const op::Maximum& maximum);
void lower(Lowering& l, ValueId id, const op::LocationGrid& location);
void lower_backward(Lowering& l, ValueId id, const op::LocationGrid& location);
void lower(Lowering& l, ValueId id, const op::MeanField& field);
void lower_backward(Lowering& l, ValueId id, const op::MeanField& field);

/// The gradient of the value before its fused activation: in place where nobody else owns the
/// memory.
Slot gradient_before_activation(Lowering& l, ValueId id, const Activation& activation, bool dense);

}  // namespace segmentum::cpu
