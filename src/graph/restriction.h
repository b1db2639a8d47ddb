// The network for a part of its output, node by node: what `restricted` and `in_bands` are made
// with.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph/bands.h"
#include "graph/restrict.h"

namespace segmentum {

/// Thrown where an operator's result depends on more than a part; never leaves this folder.
struct CannotRestrict {};

void require_restricted(bool possible);

/// Pixels along an axis that come together: so many from `first` on, and before and after it.
struct Grain {
  std::int64_t pixels = 1;
  std::int64_t first = 0;

  Interval whole(Interval out) const { return whole_groups(out, pixels, first); }
};

/// Of each value a region is made by its node, and one is had: the same, or with rows above it that
/// the run before has left.
class Restriction {
 public:
  Restriction(const Graph& graph, const Shape& picture, const ConvolutionGrid& grid);

  const std::vector<Shape>& shapes() const { return shapes_; }
  const Grain& rows_together(ValueId id) const { return grains_[static_cast<std::size_t>(id)][0]; }

  /// Finds the regions that make a region of `output`. Throws Error if it lies outside.
  void want(const std::string& output, const Region& wanted);
  /// What `want` found, or `go_by_bands` made of it.
  const Region& made_region(ValueId id) const { return made_[static_cast<std::size_t>(id)]; }
  const Region& had_region(ValueId id) const { return had_[static_cast<std::size_t>(id)]; }

  /// What `want` found becomes what one of many runs makes: of a value of which one pixel is
  /// `stride` of the picture the last `rows` / `stride` rows. The others are carried over, but for
  /// those that are `given_again`. Throws CannotRestrict where rows do not divide so.
  void go_by_bands(std::int64_t rows);
  /// An input, one that is padded, and a concatenation, which brings together what is had.
  bool given_again(ValueId id) const;

  /// The network; called once.
  RestrictedGraph graph();
  /// Of `go_by_bands`, by the nodes of `graph()`: the pad and the old value.
  struct Carried {
    ValueId pad;
    ValueId value;
  };
  const std::vector<Carried>& carried() const { return carried_; }

  // One operator, for `std::visit`: the new node for the one at hand.
  ValueId operator()(const op::Input& input);
  ValueId operator()(op::Conv conv);
  ValueId operator()(op::MaxPool pool);
  ValueId operator()(op::AveragePool pool);
  ValueId operator()(op::TransposedConv conv);
  ValueId operator()(op::Resize resize);
  ValueId operator()(const op::Pad& pad);
  ValueId operator()(const op::Crop& crop);
  ValueId operator()(const op::Multiply& multiply);
  ValueId operator()(const op::Concat& o) { return each_pixel(o); }
  ValueId operator()(const op::Add& o) { return each_pixel(o); }
  ValueId operator()(const op::Maximum& o) { return each_pixel(o); }
  ValueId operator()(const op::BatchNorm& o) { return each_pixel(o); }
  ValueId operator()(const op::LayerNorm& o) { return each_pixel(o); }
  ValueId operator()(const op::Activate& o) { return each_pixel(o); }
  ValueId operator()(const op::Dropout& o) { return each_pixel(o); }
  ValueId operator()(const op::Softmax& o) { return each_pixel(o); }
  ValueId operator()(const auto&) { throw CannotRestrict(); }

 private:
  const Shape& shape(ValueId id) const { return shapes_[static_cast<std::size_t>(id)]; }
  ValueId source(std::size_t input) const { return graph_.node(id_).inputs[input]; }
  Region& made(ValueId id) { return made_[static_cast<std::size_t>(id)]; }
  Region& had(ValueId id) { return had_[static_cast<std::size_t>(id)]; }
  /// Of the value at hand.
  const Region& region() const { return made_region(id_); }
  Region needed(std::size_t input) const {
    return needed_of_input(graph_, shapes_, id_, input, region(), grid_);
  }

  void read_whole_kernel();
  Grain grain(int axis) const;
  int phase_of_part(int axis) const;
  Region windows_of(Size2 kernel, Size2 stride, Size2 dilation, const Padding& p) const;
  Region clipped(const Region& all, ValueId value) const;
  template <typename Pool>
  ValueId pooled(Pool pool);
  ValueId unchanged(const Region& seen);
  ValueId each_pixel(const Operator& op);
  ValueId append(Operator op, std::vector<ValueId> inputs, const Padding& p = 0);
  ValueId append(Node node, const Padding& p);
  ValueId part(ValueId value, const Region& to);
  ValueId trimmed(ValueId value, const Region& whole);
  ValueId cut(ValueId value, const Region& have, const Region& to);
  ValueId carry(ValueId value);

  const Graph& graph_;
  std::vector<Shape> shapes_;
  ConvolutionGrid grid_;
  std::vector<std::array<Grain, 2>> grains_;  // by old value: of rows, of columns
  std::vector<Region> made_, had_;            // by old value
  std::vector<ValueId> new_;                  // by old value
  ValueId id_ = 0;                            // the one at hand
  Output output_;                             // of the old graph
  Region wanted_;
  RestrictedGraph result_;
  std::vector<Carried> carried_;
};

}  // namespace segmentum
