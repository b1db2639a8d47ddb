#include "graph/regions.h"

#include <algorithm>

#include "segmentum/error.h"

namespace segmentum {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// One axis of an operator: from an interval of its result to the interval of one input.
struct AxisRule {
  int axis;  // 2: rows, 3: columns
  Interval out;
  std::int64_t in_size;
  std::int64_t out_size;
  std::int64_t to_size;  // of the second input: what a crop crops to
  std::size_t input;     // which of the inputs is asked about
  Interval groups;       // that hold `out`

  int pick(Size2 size) const { return axis == 2 ? size.h : size.w; }
  int before(const Padding& p) const { return axis == 2 ? p.top : p.left; }
  Interval all() const { return {0, in_size}; }

  Interval windows(int kernel, int stride, int dilation, int pad) const {
    return {out.begin * stride - pad,
            (out.end - 1) * stride - pad + std::int64_t{dilation} * (kernel - 1) + 1};
  }

  Interval operator()(const op::Conv& o) const {
    if (input == 1) return out;  // the value that is added
    AxisRule whole = *this;
    whole.out = groups;
    return whole.windows(pick(o.kernel), pick(o.stride), pick(o.dilation), before(o.padding));
  }
  // Input i reaches the outputs i*stride - pad + [0, kernel).
  Interval operator()(const op::TransposedConv& o) const {
    const int stride = pick(o.stride), pad = before(o.padding);
    return {floor_div(out.begin + pad - pick(o.kernel) + stride, stride),
            floor_div(out.end - 1 + pad, stride) + 1};
  }
  Interval operator()(const op::GroupNorm&) const { return all(); }
  Interval operator()(const op::MaxPool& o) const {
    return windows(pick(o.kernel), pick(o.stride), 1, before(o.padding));
  }
  Interval operator()(const op::AveragePool& o) const {
    return windows(pick(o.kernel), pick(o.stride), 1, before(o.padding));
  }
  Interval operator()(const op::GlobalAveragePool&) const { return all(); }
  Interval operator()(const op::MeanField&) const { return all(); }
  Interval operator()(const op::Resize& o) const {
    if (input == 1) return {};
    if (in_size == out_size) return out;
    const std::int64_t first = source_below(o, out.begin), last = source_below(o, out.end - 1);
    const int taps = o.mode == Interpolation::nearest ? 1 : 2;
    return {std::max<std::int64_t>(first, 0), std::max<std::int64_t>(last, 0) + taps};
  }
  /// floor of the position in the input that output pixel i is taken from.
  std::int64_t source_below(const op::Resize& o, std::int64_t i) const {
    if (o.mode == Interpolation::nearest) return (2 * i + 1) * in_size / (2 * out_size);
    if (o.align_corners) return out_size == 1 ? 0 : i * (in_size - 1) / (out_size - 1);
    return floor_div((2 * i + 1) * in_size - out_size, 2 * out_size);
  }
  Interval operator()(const op::Multiply&) const {
    return input == 1 && in_size == 1 ? all() : out;
  }
  Interval operator()(const op::Pad& o) const {
    const int pad = before(o.margin);
    const Interval shifted{out.begin - pad, out.end - pad};
    if (o.mode == PadMode::edge) {
      const std::int64_t first = std::min(std::max<std::int64_t>(shifted.begin, 0), in_size - 1);
      return {first, std::max(shifted.end, first + 1)};
    }
    return o.mode == PadMode::mirror ? mirrored(shifted) : shifted;
  }
  /// The pixels that [t.begin, t.end) reads where position p stands for its reflection, of period
  /// 2*(size - 1): the ends of the interval, and each edge that it passes.
  Interval mirrored(Interval t) const {
    const std::int64_t last = in_size - 1, period = 2 * last;
    if (last == 0 || t.size() > period) return all();
    const auto reflect = [&](std::int64_t p) {
      const std::int64_t phase = p - floor_div(p, period) * period;
      return std::min(phase, period - phase);
    };
    const auto passes = [&](std::int64_t phase) {  // some p in t with p = phase (mod period)
      return floor_div(t.end - 1 - phase, period) > floor_div(t.begin - 1 - phase, period);
    };
    const std::int64_t a = reflect(t.begin), b = reflect(t.end - 1);
    return {passes(0) ? 0 : std::min(a, b), (passes(last) ? last : std::max(a, b)) + 1};
  }
  Interval operator()(const op::Crop& o) const {
    if (input == 1) return {};
    const std::int64_t offset = o.centre ? (in_size - to_size) / 2 : pick(o.offset);
    return {out.begin + offset, out.end + offset};
  }
  Interval operator()(const auto&) const { return out; }
};

/// What input number `input` of `node` must bring, cut to what it has.
Interval needed_of_input(const Graph& graph, std::span<const Shape> shapes, ValueId id,
                         std::size_t input, int axis, Interval out, const ConvolutionGrid& grid) {
  const Node& node = graph.node(id);
  const auto extent = [&](ValueId value) { return shapes[static_cast<std::size_t>(value)][axis]; };
  const std::int64_t in_size = extent(node.inputs[input]);
  const std::int64_t to_size = node.inputs.size() > 1 ? extent(node.inputs[1]) : 0;
  const AxisRule rule{
      axis, out, in_size, extent(id), to_size, input, grid.whole_groups(graph, id, axis, out)};
  const Interval needed = std::visit(rule, node.op);
  return {std::clamp<std::int64_t>(needed.begin, 0, in_size),
          std::clamp<std::int64_t>(needed.end, 0, in_size)};
}

/// Whether the step reads pixels of an input, not its size alone.
bool reads_pixels(const Node& node, std::size_t input) {
  const bool resized =
      std::holds_alternative<op::Resize>(node.op) || std::holds_alternative<op::Crop>(node.op);
  return input == 0 || !resized;
}

void require_inside(const Graph& graph, std::span<const Shape> shapes, const WantedRegion& wanted) {
  if (wanted.value < 0 || static_cast<std::size_t>(wanted.value) >= graph.nodes.size()) {
    throw Error("a region of a value that does not exist is wanted");
  }
  const Shape& shape = shapes[static_cast<std::size_t>(wanted.value)];
  const Region& r = wanted.region;
  if (r.y.begin < 0 || r.x.begin < 0 || r.y.end > shape.h() || r.x.end > shape.w()) {
    throw Error("the wanted region of \"" + graph.node(wanted.value).name +
                "\" lies outside its size " + std::to_string(shape.h()) + "x" +
                std::to_string(shape.w()));
  }
}

}  // namespace

Interval hull(Interval a, Interval b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

Interval whole_groups(Interval out, std::int64_t pixels, std::int64_t first) {
  return {floor_div(out.begin - first, pixels) * pixels + first,
          -floor_div(first - out.end, pixels) * pixels + first};
}

Region hull(const Region& a, const Region& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {hull(a.y, b.y), hull(a.x, b.x)};
}

const char* whole_picture_reader(const Operator& op) {
  if (std::holds_alternative<op::GlobalAveragePool>(op)) return "global pooling";
  if (std::holds_alternative<op::GroupNorm>(op)) return "group norm";
  if (std::holds_alternative<op::MeanField>(op)) return "a CRF";
  if (std::holds_alternative<op::LocationGrid>(op)) return "a location grid";
  return nullptr;
}

std::vector<bool> never_cut(const Graph& graph) {
  const std::size_t count = graph.nodes.size();
  const auto for_pixels_read = [&](std::size_t id, const auto& body) {
    const Node& node = graph.nodes[id];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (reads_pixels(node, i)) body(static_cast<std::size_t>(node.inputs[i]));
    }
  };
  std::vector<bool> sees_all(count), cut(count);
  for (std::size_t id = 0; id < count; ++id) {
    sees_all[id] = whole_picture_reader(graph.nodes[id].op) != nullptr;
    for_pixels_read(id, [&](std::size_t input) { sees_all[id] = sees_all[id] || sees_all[input]; });
  }
  for (const Output& output : graph.outputs) {
    const auto value = static_cast<std::size_t>(output.value);
    cut[value] = !sees_all[value];
  }
  for (std::size_t id = count; id-- > 0;) {
    if (cut[id]) for_pixels_read(id, [&](std::size_t input) { cut[input] = true; });
  }
  cut.flip();
  return cut;
}

int ConvolutionGrid::period(const Graph& graph, ValueId node, int axis) const {
  const auto* conv = std::get_if<op::Conv>(&graph.node(node).op);
  if (conv == nullptr) return 1;
  const Size2 d = conv->dilation;
  const bool grouped = conv->kernel == Size2(3) && conv->stride == Size2(1) && conv->groups == 1 &&
                       std::max(d.h, d.w) <= largest_dilation;
  if (!grouped) return 1;
  if (d == Size2(1) && undilated != nullptr) {
    return undilated(graph.node(graph.node(node).inputs[0]).channels, conv->channels);
  }
  return pixels * (axis == 2 ? d.h : d.w);
}

Interval ConvolutionGrid::whole_groups(const Graph& graph, ValueId node, int axis,
                                       Interval out) const {
  const int pixels_each = period(graph, node, axis);
  if (pixels_each == 1) return out;
  const auto& conv = std::get<op::Conv>(graph.node(node).op);
  const Size2 phases = conv.dilation == Size2(1) ? conv.phase : Size2(0);
  const int first = axis == 2 ? phases.h : phases.w;
  return segmentum::whole_groups(out, pixels_each, first);
}

std::vector<Region> needed_regions(const Graph& graph, std::span<const Shape> shapes,
                                   std::span<const WantedRegion> wanted,
                                   const ConvolutionGrid& grid) {
  std::vector<Region> regions(graph.nodes.size());
  ValueId last = -1;
  for (const WantedRegion& want : wanted) {
    require_inside(graph, shapes, want);
    Region& region = regions[static_cast<std::size_t>(want.value)];
    region = hull(region, want.region);
    last = std::max(last, want.value);
  }
  for (ValueId id = last; id >= 0; --id) {
    const Region out = regions[static_cast<std::size_t>(id)];
    if (out.empty()) continue;
    const Node& node = graph.node(id);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Region& in = regions[static_cast<std::size_t>(node.inputs[i])];
      in = hull(in, needed_of_input(graph, shapes, id, i, out, grid));
    }
  }
  return regions;
}

Region needed_of_input(const Graph& graph, std::span<const Shape> shapes, ValueId value,
                       std::size_t input, const Region& out, const ConvolutionGrid& grid) {
  return {needed_of_input(graph, shapes, value, input, 2, out.y, grid),
          needed_of_input(graph, shapes, value, input, 3, out.x, grid)};
}

}  // namespace segmentum
