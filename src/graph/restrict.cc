#include "graph/restrict.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

Interval shifted(Interval interval, std::int64_t by) {
  return {interval.begin + by, interval.end + by};
}

Interval inside(Interval interval, std::int64_t size) {
  return {std::max<std::int64_t>(interval.begin, 0), std::min(interval.end, size)};
}

bool holds(Interval outer, Interval inner) {
  return outer.begin <= inner.begin && inner.end <= outer.end;
}

/// How far `outer` reaches beyond `inner`.
Padding margins(const Region& outer, const Region& inner) {
  return {static_cast<int>(inner.y.begin - outer.y.begin),
          static_cast<int>(inner.x.begin - outer.x.begin),
          static_cast<int>(outer.y.end - inner.y.end), static_cast<int>(outer.x.end - inner.x.end)};
}

Padding negative(const Padding& p) {
  return {-p.top, -p.left, -p.bottom, -p.right};
}

/// What windows over `out` read along one axis, the padding included.
Interval windows(Interval out, int kernel, int stride, int dilation, int before) {
  return {out.begin * stride - before,
          (out.end - 1) * stride - before + std::int64_t{dilation} * (kernel - 1) + 1};
}

constexpr int kLargestGrain = 8;  // beyond it, more is computed than cuts would cost

/// Pixels along an axis that come together: so many from `first` on, and before and after it.
struct Grain {
  std::int64_t pixels = 1;
  std::int64_t first = 0;

  Interval whole(Interval out) const { return whole_groups(out, pixels, first); }
};

/// Thrown inside of this file alone.
struct CannotRestrict {};

void require(bool possible) {
  if (!possible) throw CannotRestrict();
}

class Restriction {
 public:
  Restriction(const Graph& graph, const Shape& picture, const ConvolutionGrid& grid)
      : graph_(graph), shapes_(infer_shapes(graph, {&picture, 1})), grid_(grid) {
    find_grains();
  }

  RestrictedGraph operator()(const std::string& output, const Region& wanted) && {
    const ValueId last = graph_.output(output);
    find_regions(last, wanted);
    result_.graph.architecture = graph_.architecture;
    result_.graph.parameters = graph_.parameters;
    made_.resize(graph_.nodes.size(), -1);
    for (id_ = 0; id_ <= last; ++id_) {
      if (!region(id_).empty()) made(id_) = std::visit(*this, graph_.node(id_).op);
    }
    result_.graph.outputs.push_back({output, part(last, wanted)});
    return std::move(result_);
  }

  ValueId operator()(const op::Input& input) {
    result_.input = region(id_);
    result_.form.insert(result_.form.end(), {static_cast<int>(result_.input.y.size()),
                                             static_cast<int>(result_.input.x.size())});
    const ValueId id = append(input, {});
    result_.graph.inputs.push_back(id);
    return id;
  }

  ValueId operator()(op::Conv conv) {
    const Region all = windows_of(conv.kernel, conv.stride, conv.dilation, conv.padding);
    const Region read = clipped(all, source(0));
    conv.padding = margins(all, read);
    conv.phase = {phase_of_part(2), phase_of_part(3)};
    result_.form.insert(result_.form.end(), {conv.phase.h, conv.phase.w});
    std::vector<ValueId> inputs{part(source(0), read)};
    if (conv.add) inputs.push_back(part(source(1), region(id_)));
    return append(conv, std::move(inputs), conv.padding);
  }

  ValueId operator()(op::MaxPool pool) { return pooled(pool); }
  ValueId operator()(op::AveragePool pool) {
    require(pool.padding == Padding(0) && !pool.ceil);  // else the divisor depends on the place
    return pooled(pool);
  }

  ValueId operator()(op::TransposedConv conv) {
    const Padding& p = conv.padding;
    // Engines may compute a padding beyond the kernel in another way.
    require(std::max(p.top, p.bottom) < conv.kernel.h && std::max(p.left, p.right) < conv.kernel.w);
    const Region read = needed_of_input(graph_, shapes_, id_, 0, region(id_), grid_);
    require(!read.empty());
    const auto reached = [](Interval in, int stride, int kernel, int before) {
      return Interval{in.begin * stride - before, (in.end - 1) * stride - before + kernel};
    };
    const Region whole{reached(read.y, conv.stride.h, conv.kernel.h, conv.padding.top),
                       reached(read.x, conv.stride.w, conv.kernel.w, conv.padding.left)};
    conv.padding = 0;
    conv.output_padding = 0;
    return trimmed(append(conv, {part(source(0), read)}), whole);
  }

  ValueId operator()(op::Resize resize) {
    const Shape& in = shape(source(0));
    const Shape& out = shape(id_);
    const std::int64_t ratio = out.h() / in.h();
    require(!resize.align_corners && in.h() * ratio == out.h() && in.w() * ratio == out.w());
    // Weights of other ratios are rounded by where a pixel lies.
    require(resize.mode == Interpolation::nearest || (ratio & (ratio - 1)) == 0);
    const Region read = needed_of_input(graph_, shapes_, id_, 0, region(id_), grid_);
    const Region whole{{read.y.begin * ratio, read.y.end * ratio},
                       {read.x.begin * ratio, read.x.end * ratio}};
    resize.scale = static_cast<int>(ratio);
    resize.divisor = 1;
    return trimmed(append(resize, {part(source(0), read)}), whole);
  }

  ValueId operator()(const op::Pad& pad) {
    const Shape& in = shape(source(0));
    const Padding p = resolve_padding(pad, in.h(), in.w());
    const Region seen{shifted(region(id_).y, -p.top), shifted(region(id_).x, -p.left)};
    const Region own = clipped(seen, source(0));
    if (own == seen) return unchanged(seen);
    const Region read = pad.mode == PadMode::zero
                            ? own
                            : needed_of_input(graph_, shapes_, id_, 0, region(id_), grid_);
    const Region whole = hull(seen, read);
    const Padding more = margins(whole, read);
    // A mirror shows what lies at the picture's own border, and no more than is there.
    const auto mirrors = [](Interval part, int before, int after, std::int64_t size) {
      return before < part.size() && after < part.size() && (before == 0 || part.begin == 0) &&
             (after == 0 || part.end == size);
    };
    require(pad.mode == PadMode::zero || (mirrors(read.y, more.top, more.bottom, in.h()) &&
                                          mirrors(read.x, more.left, more.right, in.w())));
    const ValueId padded =
        append(op::Pad{.mode = pad.mode, .margin = more}, {part(source(0), read)}, more);
    return cut(padded, whole, seen);
  }

  ValueId operator()(const op::Crop& crop) {
    const Shape& in = shape(source(0));
    const Shape& to = shape(id_);
    const Size2 at = resolve_crop(crop, in.h(), in.w(), to.h(), to.w());
    return unchanged({shifted(region(id_).y, at.h), shifted(region(id_).x, at.w)});
  }

  ValueId operator()(const op::Multiply& multiply) {
    require(shape(source(0)) == shape(source(1)));
    return each_pixel(multiply);
  }
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
  const Region& region(ValueId id) const { return regions_[static_cast<std::size_t>(id)]; }
  const Shape& shape(ValueId id) const { return shapes_[static_cast<std::size_t>(id)]; }
  ValueId& made(ValueId id) { return made_[static_cast<std::size_t>(id)]; }
  ValueId source(std::size_t input) const { return graph_.node(id_).inputs[input]; }

  /// By axis, 2 and 3: which pixels of each value are had for the price of one. Those that one
  /// pixel is magnified to, and of operators that go pixel by pixel what they read first.
  void find_grains() {
    for (id_ = 0; id_ < std::ssize(graph_.nodes); ++id_) grains_.push_back({grain(2), grain(3)});
  }

  Grain grain(int axis) const {
    const Node& node = graph_.node(id_);
    const std::int64_t size = shape(id_)[axis];
    std::int64_t pixels = 1;
    if (const int group = grid_.period(graph_, id_, axis); group > 1) {
      return {group, grid_.whole_groups(graph_, id_, axis, {0, 1}).begin};
    }
    if (goes_by_pixel(node.op)) {
      Grain all{0, 0};
      for (const ValueId input : node.inputs) {
        const Grain own =
            shape(input)[axis] == size
                ? grains_[static_cast<std::size_t>(input)][static_cast<std::size_t>(axis - 2)]
                : Grain{};
        all = {std::gcd(all.pixels, own.pixels), all.pixels == 0 ? own.first : all.first};
      }
      return all;
    }
    if (const auto* up = std::get_if<op::TransposedConv>(&node.op);
        up && up->padding == Padding(0)) {
      pixels = axis == 2 ? up->stride.h : up->stride.w;
    } else if (std::holds_alternative<op::Resize>(node.op)) {
      pixels = std::max<std::int64_t>(size / shape(node.inputs[0])[axis], 1);
    }
    return {pixels > kLargestGrain ? 1 : pixels, 0};
  }

  static bool goes_by_pixel(const Operator& op) {
    if (const auto* conv = std::get_if<op::Conv>(&op)) {
      return conv->kernel == Size2(1) && conv->stride == Size2(1) && conv->padding == Padding(0);
    }
    return std::holds_alternative<op::Concat>(op) || std::holds_alternative<op::Add>(op) ||
           std::holds_alternative<op::Multiply>(op) || std::holds_alternative<op::Maximum>(op) ||
           std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::LayerNorm>(op) ||
           std::holds_alternative<op::Activate>(op) || std::holds_alternative<op::Dropout>(op) ||
           std::holds_alternative<op::Softmax>(op);
  }

  /// As `needed_regions`, rounded up to grains: whole groups for their bits, the rest so that
  /// nothing need be cut.
  void find_regions(ValueId last, const Region& wanted) {
    const WantedRegion want{last, wanted};
    needed_regions(graph_, shapes_, {&want, 1}, grid_);  // throws where it lies outside
    regions_.resize(graph_.nodes.size());
    regions_[static_cast<std::size_t>(last)] = wanted;
    for (ValueId id = last; id >= 0; --id) {
      Region& out = regions_[static_cast<std::size_t>(id)];
      if (out.empty()) continue;
      const Node& node = graph_.node(id);
      const auto& [down, across] = grains_[static_cast<std::size_t>(id)];
      out.y = inside(down.whole(out.y), shape(id).h());
      out.x = inside(across.whole(out.x), shape(id).w());
      const auto* conv = std::get_if<op::Conv>(&node.op);
      if (conv != nullptr && down.pixels == 1 && across.pixels == 1) {
        const Shape& in = shape(node.inputs[0]);
        out.y = with_whole_kernel(out.y, in.h(), shape(id).h(), conv->kernel.h, conv->stride.h,
                                  conv->dilation.h, conv->padding.top);
        out.x = with_whole_kernel(out.x, in.w(), shape(id).w(), conv->kernel.w, conv->stride.w,
                                  conv->dilation.w, conv->padding.left);
      }
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        Region& in = regions_[static_cast<std::size_t>(node.inputs[i])];
        in = hull(in, needed_of_input(graph_, shapes_, id, i, out, grid_));
      }
    }
  }

  /// More of a border than is wanted, where less than one kernel would be read of an input that
  /// holds one: engines may have other kernels for inputs that hold none.
  static Interval with_whole_kernel(Interval out, std::int64_t in, std::int64_t size, int kernel,
                                    int stride, int dilation, int before) {
    const std::int64_t least =
        std::min<std::int64_t>(in, std::int64_t{dilation} * (kernel - 1) + 1);
    const auto read = [&] { return inside(windows(out, kernel, stride, dilation, before), in); };
    while (read().size() < least && out.size() < size) {
      out.begin > 0 && read().end == in ? --out.begin : ++out.end;
    }
    return out;
  }

  /// Where a group begins, in the part of `id_`.
  int phase_of_part(int axis) const {
    const std::int64_t begin = axis == 2 ? region(id_).y.begin : region(id_).x.begin;
    const Interval group = grid_.whole_groups(graph_, id_, axis, {begin, begin + 1});
    return static_cast<int>(group.begin == begin ? 0 : group.end - begin);
  }

  Region windows_of(Size2 kernel, Size2 stride, Size2 dilation, const Padding& p) const {
    return {windows(region(id_).y, kernel.h, stride.h, dilation.h, p.top),
            windows(region(id_).x, kernel.w, stride.w, dilation.w, p.left)};
  }

  Region clipped(const Region& all, ValueId value) const {
    const Region result{inside(all.y, shape(value).h()), inside(all.x, shape(value).w())};
    require(!result.empty());
    return result;
  }

  template <typename Pool>
  ValueId pooled(Pool pool) {
    const Region all = windows_of(pool.kernel, pool.stride, 1, pool.padding);
    const Region read = clipped(all, source(0));
    pool.padding = margins(all, read);
    pool.ceil = false;
    return append(pool, {part(source(0), read)}, pool.padding);
  }

  /// A part of the first input as it is, in the place of a pad or crop: engines may join what
  /// stands around one in another way than what follows one another, and shall not here alone.
  ValueId unchanged(const Region& seen) { return append(op::Pad{}, {part(source(0), seen)}); }

  ValueId each_pixel(const Operator& op) {
    std::vector<ValueId> inputs;
    for (ValueId input : graph_.node(id_).inputs) inputs.push_back(part(input, region(id_)));
    return append(op, std::move(inputs));
  }

  /// The new node for `id_`.
  ValueId append(Operator op, std::vector<ValueId> inputs, const Padding& p = 0) {
    const Node& original = graph_.node(id_);
    return append(
        {original.name, std::move(op), std::move(inputs), original.parameters, original.channels},
        p);
  }

  ValueId append(Node node, const Padding& p) {
    result_.form.insert(result_.form.end(),
                        {static_cast<int>(node.op.index()), p.top, p.left, p.bottom, p.right});
    result_.graph.nodes.push_back(std::move(node));
    return static_cast<ValueId>(result_.graph.nodes.size()) - 1;
  }

  /// The region `to` of an old value, from what the new network has of it.
  ValueId part(ValueId value, const Region& to) { return cut(made(value), region(value), to); }

  /// The region of `id_` from the larger one that an operator makes.
  ValueId trimmed(ValueId value, const Region& whole) { return cut(value, whole, region(id_)); }

  ValueId cut(ValueId value, const Region& have, const Region& to) {
    if (have == to) return value;
    require(holds(have.y, to.y) && holds(have.x, to.x));
    const Padding margin = negative(margins(have, to));
    const int channels = result_.graph.node(value).channels;
    return append(Node{"cut " + std::to_string(result_.graph.nodes.size()),
                       op::Pad{.margin = margin},
                       {value},
                       {},
                       channels},
                  margin);
  }

  const Graph& graph_;
  std::vector<Shape> shapes_;
  ConvolutionGrid grid_;
  std::vector<std::array<Grain, 2>> grains_;  // by old value
  std::vector<Region> regions_;               // by old value
  std::vector<ValueId> made_;                 // by old value
  ValueId id_ = 0;
  RestrictedGraph result_;
};

}  // namespace

std::optional<RestrictedGraph> restricted(const Graph& graph, const Shape& picture,
                                          const std::string& output, const Region& wanted,
                                          const ConvolutionGrid& grid) {
  if (graph.inputs.size() != 1) return std::nullopt;
  try {
    return Restriction(graph, picture, grid)(output, wanted);
  } catch (const CannotRestrict&) {
    return std::nullopt;
  }
}

}  // namespace segmentum
