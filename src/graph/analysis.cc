#include "graph/analysis.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/regions.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kLargestStride = std::int64_t{1} << 30;
constexpr std::int64_t kProbeSize = 1 << 20;  // sizes are symbolic: a large plane costs nothing
constexpr int kLargestMultiple = 4096;        // more phases than that are not probed

std::int64_t saturating_product(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (std::int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) {
      return std::numeric_limits<std::int64_t>::max();
    }
  }
  return product;
}

void saturating_add(std::int64_t& sum, std::int64_t more) {
  if (__builtin_add_overflow(sum, more, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

Ratio scaled(Ratio ratio, std::int64_t by, std::int64_t divided_by) {
  const std::int64_t over = ratio.over * by, under = ratio.under * divided_by;
  const std::int64_t common = std::gcd(over, under);
  const Ratio result{over / common, under / common};
  if (result.over > kLargestStride || result.under > kLargestStride) {
    throw Error("the network's strides multiply to more than 2^30");
  }
  return result;
}

OutputStride scaled(const OutputStride& stride, Size2 by, Size2 divided_by) {
  return {scaled(stride.y, by.h, divided_by.h), scaled(stride.x, by.w, divided_by.w)};
}

using MaybeStride = std::optional<OutputStride>;

struct StrideRule {
  std::vector<MaybeStride> in;

  MaybeStride times(Size2 by, Size2 divided_by = 1) const {
    return in[0] ? MaybeStride(scaled(*in[0], by, divided_by)) : std::nullopt;
  }
  MaybeStride operator()(const op::Input&) const { return OutputStride{}; }
  MaybeStride operator()(const op::Conv& o) const { return times(o.stride); }
  MaybeStride operator()(const op::TransposedConv& o) const { return times(1, o.stride); }
  MaybeStride operator()(const op::MaxPool& o) const { return times(o.stride); }
  MaybeStride operator()(const op::AveragePool& o) const { return times(o.stride); }
  MaybeStride operator()(const op::GlobalAveragePool&) const { return std::nullopt; }
  MaybeStride operator()(const op::Resize& o) const {
    return o.scale > 0 ? times(o.divisor, o.scale) : in[1];
  }
  MaybeStride operator()(const auto&) const { return in[0]; }
};

int least_common_multiple(int a, std::int64_t b) {
  const std::int64_t result = std::lcm(std::int64_t{a}, b);
  if (result > kLargestStride) throw Error("the network's strides multiply to more than 2^30");
  return static_cast<int>(result);
}

Size2 tile_multiple(const Graph& graph, std::span<const MaybeStride> strides) {
  Size2 multiple = 1;
  const auto require = [&](const OutputStride& stride) {
    multiple.h = least_common_multiple(multiple.h, stride.y.over);
    multiple.w = least_common_multiple(multiple.w, stride.x.over);
  };
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    if (!strides[id]) continue;
    require(*strides[id]);
    if (const auto* pad = std::get_if<op::Pad>(&graph.nodes[id].op)) {
      require(scaled(*strides[id], pad->multiple, 1));
    }
  }
  return multiple;
}

std::int64_t floor_scaled(std::int64_t i, Ratio by) {
  return i * by.over / by.under;
}

std::int64_t ceil_scaled(std::int64_t i, Ratio by) {
  return (i * by.over + by.under - 1) / by.under;
}

/// What one pixel of a value sees along one axis, over all its phases.
struct View {
  std::int64_t size = 0;    // of the region
  std::int64_t before = 0;  // beyond the pixel's own place
  std::int64_t after = 0;
  bool bounded = true;

  void include(Interval seen, std::int64_t pixel, Ratio stride, std::int64_t plane) {
    if (seen.empty()) return;
    bounded = bounded && seen.begin > 0 && seen.end < plane;
    size = std::max(size, seen.size());
    before = std::max(before, floor_scaled(pixel, stride) - seen.begin);
    after = std::max(after, seen.end - ceil_scaled(pixel + 1, stride));
  }
};

/// Asks `needed_regions` about pixels in the middle of a plane so large that no border is in sight.
class Probe {
 public:
  /// Throws Error where the graph cannot work at such a size.
  Probe(const Graph& graph, std::span<const MaybeStride> strides, Size2 multiple)
      : graph_(graph), strides_(strides), multiple_(multiple) {
    shapes_ = shapes_at(plane(multiple.h), plane(multiple.w));
  }

  /// Heights and widths that a pixel of `value` sees; none where it is the whole picture.
  std::optional<std::pair<View, View>> view(ValueId value) const {
    const MaybeStride& stride = strides_[static_cast<std::size_t>(value)];
    if (!stride) return std::nullopt;
    View y, x;
    const std::int64_t rows = phases(stride->y, multiple_.h),
                       first_y = middle(stride->y, multiple_.h);
    const std::int64_t cols = phases(stride->x, multiple_.w),
                       first_x = middle(stride->x, multiple_.w);
    for (std::int64_t phase = 0; phase < std::max(rows, cols); ++phase) {
      const std::int64_t at_y = first_y + phase % rows, at_x = first_x + phase % cols;
      const Region seen = seen_from(value, at_y, at_x);
      y.include(seen.y, at_y, stride->y, plane(multiple_.h));
      x.include(seen.x, at_x, stride->x, plane(multiple_.w));
      if (!y.bounded || !x.bounded) return std::nullopt;
    }
    return std::pair{y, x};
  }

  /// Whether the outputs follow from what a pixel sees, wherever it lies: no classifiers by
  /// location, and all resizes that matter have one phase at every place (sizes in the ratio of the
  /// strides, of every picture, and half-pixel centred).
  bool shift_invariant() const {
    if (!keeps_phase(shapes_)) return false;
    try {
      return keeps_phase(shapes_at(plane(multiple_.h) + 1, plane(multiple_.w) + 1));
    } catch (const Error&) {
      return true;  // works at multiples only
    }
  }

 private:
  static std::int64_t plane(int multiple) {
    return (kProbeSize + multiple - 1) / multiple * multiple;
  }
  static std::int64_t phases(Ratio stride, int multiple) {
    return std::int64_t{multiple} / stride.over * stride.under;
  }
  static std::int64_t middle(Ratio stride, int multiple) {
    return kProbeSize / 2 / multiple * phases(stride, multiple);
  }
  static bool fits(std::int64_t in, Ratio from, std::int64_t out, Ratio to) {
    return in * from.over * to.under == out * to.over * from.under;
  }

  std::vector<Shape> shapes_at(std::int64_t h, std::int64_t w) const {
    std::vector<Shape> inputs;
    for (ValueId input : graph_.inputs) inputs.push_back({1, graph_.node(input).channels, h, w});
    return infer_shapes(graph_, inputs);
  }

  bool keeps_phase(std::span<const Shape> shapes) const {
    const std::vector<bool> used = reaches_output();
    for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
      const Node& node = graph_.nodes[id];
      if (used[id] && whole_picture_reader(node.op) != nullptr) return false;
      const auto* resize = std::get_if<op::Resize>(&node.op);
      if (!resize || !used[id]) continue;
      const auto in = static_cast<std::size_t>(node.inputs[0]);
      const bool same_size = shapes[in].h() == shapes[id].h() && shapes[in].w() == shapes[id].w();
      const bool corners = resize->align_corners && resize->mode == Interpolation::bilinear;
      if (corners && !same_size) return false;
      if (!strides_[in] || !strides_[id]) return false;
      const OutputStride &from = *strides_[in], &to = *strides_[id];
      if (!fits(shapes[in].h(), from.y, shapes[id].h(), to.y) ||
          !fits(shapes[in].w(), from.x, shapes[id].w(), to.x)) {
        return false;
      }
    }
    return true;
  }

  /// The region of the inputs that one pixel depends on.
  Region seen_from(ValueId value, std::int64_t y, std::int64_t x) const {
    const Shape& shape = shapes_[static_cast<std::size_t>(value)];
    if (y >= shape.h() || x >= shape.w()) return whole();
    const WantedRegion wanted{value, {{y, y + 1}, {x, x + 1}}};
    const auto regions = needed_regions(graph_, shapes_, {&wanted, 1});
    Region seen;
    for (ValueId input : graph_.inputs) {
      const Region& more = regions[static_cast<std::size_t>(input)];
      seen = {hull(seen.y, more.y), hull(seen.x, more.x)};
    }
    return seen;
  }
  Region whole() const { return {{0, plane(multiple_.h)}, {0, plane(multiple_.w)}}; }

  std::vector<bool> reaches_output() const {
    std::vector<bool> used(graph_.nodes.size(), false);
    for (const Output& output : graph_.outputs) used[static_cast<std::size_t>(output.value)] = true;
    for (std::size_t id = graph_.nodes.size(); id-- > 0;) {
      if (!used[id]) continue;
      for (ValueId input : graph_.nodes[id].inputs) used[static_cast<std::size_t>(input)] = true;
    }
    return used;
  }

  const Graph& graph_;
  std::span<const MaybeStride> strides_;
  Size2 multiple_;
  std::vector<Shape> shapes_;
};

void count_costs(const Graph& graph, std::span<const Shape> shapes, Analysis& result) {
  std::vector<bool> counted(graph.parameters.size(), false);
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    NodeAnalysis& analysis = result.nodes[id];
    analysis.shape = shapes[id];
    for (int index : node.parameters) {
      const auto parameter = static_cast<std::size_t>(index);
      const ParameterSpec& spec = graph.parameters[parameter];
      if (counted[parameter] || !is_trainable(spec.role)) continue;
      counted[parameter] = true;
      analysis.parameters += spec.shape.count();
    }
    if (!node.inputs.empty()) {
      const Shape& in = shapes[static_cast<std::size_t>(node.inputs[0])];
      analysis.multiply_adds = multiply_adds(node, in, shapes[id]);
    }
    result.parameters += analysis.parameters;
    saturating_add(result.multiply_adds, analysis.multiply_adds);
  }
}

void find_views(const Graph& graph, std::span<const MaybeStride> strides, Analysis& result) {
  if (std::max(result.tile_multiple.h, result.tile_multiple.w) > kLargestMultiple) return;
  std::optional<Probe> made;
  try {
    made.emplace(graph, strides, result.tile_multiple);
  } catch (const Error&) {
    return;  // works at the caller's size only: neither views nor tiles can be told
  }
  const Probe& probe = *made;
  std::vector<std::optional<std::pair<View, View>>> views;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    views.push_back(probe.view(static_cast<ValueId>(id)));
    if (!views[id]) continue;
    result.nodes[id].receptive_field = {static_cast<int>(views[id]->first.size),
                                        static_cast<int>(views[id]->second.size)};
  }
  if (!probe.shift_invariant()) return;
  Padding halo;
  for (const Output& output : graph.outputs) {
    const auto& view = views[static_cast<std::size_t>(output.value)];
    if (!view) return;
    const auto& [y, x] = *view;
    halo = {std::max(halo.top, static_cast<int>(y.before)),
            std::max(halo.left, static_cast<int>(x.before)),
            std::max(halo.bottom, static_cast<int>(y.after)),
            std::max(halo.right, static_cast<int>(x.after))};
  }
  result.tile_halo = halo;
}

}  // namespace

std::int64_t multiply_adds(const Node& node, const Shape& in, const Shape& out) {
  if (const auto* conv = std::get_if<op::Conv>(&node.op)) {
    return saturating_product({out.n(), out.c(), out.h(), out.w(), in.c() / conv->groups,
                               conv->kernel.h, conv->kernel.w});
  }
  if (const auto* up = std::get_if<op::TransposedConv>(&node.op)) {
    return saturating_product(
        {in.n(), in.c(), in.h(), in.w(), out.c() / up->groups, up->kernel.h, up->kernel.w});
  }
  return 0;
}

std::vector<std::optional<OutputStride>> output_strides(const Graph& graph) {
  std::vector<MaybeStride> strides;
  for (const Node& node : graph.nodes) {
    StrideRule rule;
    for (ValueId input : node.inputs) rule.in.push_back(strides[static_cast<std::size_t>(input)]);
    strides.push_back(std::visit(rule, node.op));
  }
  return strides;
}

Analysis analyse(const Graph& graph, std::span<const Shape> inputs) {
  const std::vector<Shape> shapes = infer_shapes(graph, inputs);
  Analysis result;
  result.nodes.resize(graph.nodes.size());
  count_costs(graph, shapes, result);
  const auto strides = output_strides(graph);
  for (std::size_t id = 0; id < strides.size(); ++id) {
    result.nodes[id].output_stride = strides[id];
  }
  result.tile_multiple = tile_multiple(graph, strides);
  find_views(graph, strides, result);
  return result;
}

}  // namespace segmentum
