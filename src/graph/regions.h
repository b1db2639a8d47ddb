// Which pixels are needed for which: the basis of receptive fields, tiles and streaming.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// Pixels begin, ..., end - 1 along one axis.
struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool empty() const { return begin >= end; }
  std::int64_t size() const { return empty() ? 0 : end - begin; }
  bool operator==(const Interval&) const = default;
};

/// The smallest interval that holds both; an empty one adds nothing.
Interval hull(Interval a, Interval b);

/// `out` widened to whole groups of `pixels`, one of which begins at `first`.
Interval whole_groups(Interval out, std::int64_t pixels, std::int64_t first);

/// A rectangle of pixels.
struct Region {
  Interval y;
  Interval x;
  bool empty() const { return y.empty() || x.empty(); }
  bool operator==(const Region&) const = default;
};

/// The smallest rectangle that holds both; an empty one adds nothing.
Region hull(const Region& a, const Region& b);

/// A part of a value that somebody asks for.
struct WantedRegion {
  ValueId value = -1;
  Region region;
};

/// What an operator is that looks at the whole plane or at its own place in it, so that no part of
/// its result follows from a part of the picture, whatever its size: "global pooling", "group
/// norm", "a CRF", "a location grid". Null for all others.
const char* whole_picture_reader(const Operator& op);

/// By value, whether it is needed for such outputs alone as depend on a reader of the whole picture
/// (`whole_picture_reader`): `restricted` gives no part of them, so the value is never computed in
/// parts. A value of which only the size is used counts for nothing. O(nodes).
std::vector<bool> never_cut(const Graph& graph);

/// How an engine's 3x3 convolutions of stride 1 compute results in aligned groups: what decides the
/// very bits of one result is all that its group reads. Of values that are `never_cut` it tells
/// nothing: nobody needs to know.
struct ConvolutionGrid {
  int pixels = 1;            // of a group along each axis, a dilation apart
  int largest_dilation = 1;  // beyond it, results are computed one by one
  /// Instead of `pixels` for convolutions without dilation, where they depend on the channels;
  /// these groups begin where `op::Conv::phase` says, all others at the value's first pixel.
  int (*undilated)(std::int64_t in, std::int64_t out) = nullptr;

  /// Pixels along an axis (2: rows, 3: columns) that the groups of a node repeat after: 1 unless it
  /// is such a convolution.
  int period(const Graph& graph, ValueId node, int axis) const;
  /// The whole groups of a node that hold `out`; they may reach beyond the value.
  Interval whole_groups(const Graph& graph, ValueId node, int axis, Interval out) const;
};

/// For every value the rectangle of it that must be known to compute all that is `wanted`; empty
/// where nothing of it is. `shapes` are those of `infer_shapes`. Rectangles are the hulls over all
/// paths, cut to the value: padding needs nothing, mirrored pixels need the pixels that they
/// mirror. A bilinear resize is taken to read both neighbours even where one weighs nothing. A
/// value of which only the size is used (crop_like, resize_like) needs no pixel. Global average
/// pooling, group norm and mean field need the whole plane. Throws Error where something wanted
/// lies outside its value. O(nodes). `grid`: that of the engine (`Executor::grid`) whose bits are
/// wanted.
std::vector<Region> needed_regions(const Graph& graph, std::span<const Shape> shapes,
                                   std::span<const WantedRegion> wanted,
                                   const ConvolutionGrid& grid = {});

/// The same for one step: what input number `input` of the node that makes `value` must bring for
/// the region `out` of its result, cut to what there is.
Region needed_of_input(const Graph& graph, std::span<const Shape> shapes, ValueId value,
                       std::size_t input, const Region& out, const ConvolutionGrid& grid = {});

}  // namespace segmentum
