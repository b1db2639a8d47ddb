#include "graph/restriction.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kLargestGrain = 8;  // beyond it, more is computed than cuts would cost

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

bool goes_by_pixel(const Operator& op) {
  if (const auto* conv = std::get_if<op::Conv>(&op)) {
    return conv->kernel == Size2(1) && conv->stride == Size2(1) && conv->padding == Padding(0);
  }
  return std::holds_alternative<op::Concat>(op) || std::holds_alternative<op::Add>(op) ||
         std::holds_alternative<op::Multiply>(op) || std::holds_alternative<op::Maximum>(op) ||
         std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::LayerNorm>(op) ||
         std::holds_alternative<op::Activate>(op) || std::holds_alternative<op::Dropout>(op) ||
         std::holds_alternative<op::Softmax>(op);
}

/// How many pixels of its first input a convolution's kernel reads at once.
Size2 reach_of(const Operator& op) {
  if (const auto* conv = std::get_if<op::Conv>(&op)) {
    return {conv->dilation.h * (conv->kernel.h - 1) + 1,
            conv->dilation.w * (conv->kernel.w - 1) + 1};
  }
  if (const auto* up = std::get_if<op::TransposedConv>(&op)) {
    return {(up->kernel.h + up->stride.h - 1) / up->stride.h,
            (up->kernel.w + up->stride.w - 1) / up->stride.w};
  }
  return 1;
}

}  // namespace

void require_restricted(bool possible) {
  if (!possible) throw CannotRestrict();
}

Restriction::Restriction(const Graph& graph, const Shape& picture, const ConvolutionGrid& grid)
    : graph_(graph), shapes_(infer_shapes(graph, {&picture, 1})), grid_(grid) {
  for (id_ = 0; id_ < std::ssize(graph_.nodes); ++id_) grains_.push_back({grain(2), grain(3)});
}

/// As `needed_regions`, rounded up to grains: whole groups for their bits, the rest so that nothing
/// need be cut.
void Restriction::want(const std::string& output, const Region& wanted) {
  output_ = {output, graph_.output(output)};
  wanted_ = wanted;
  const WantedRegion want{output_.value, wanted};
  needed_regions(graph_, shapes_, {&want, 1}, grid_);  // throws where it lies outside
  made_.assign(graph_.nodes.size(), {});
  made(output_.value) = wanted;
  for (id_ = output_.value; id_ >= 0; --id_) {
    Region& out = made(id_);
    if (out.empty()) continue;
    const Node& node = graph_.node(id_);
    const auto& [down, across] = grains_[static_cast<std::size_t>(id_)];
    read_whole_kernel();
    out.y = inside(down.whole(out.y), shape(id_).h());
    out.x = inside(across.whole(out.x), shape(id_).w());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Region& in = made(node.inputs[i]);
      in = hull(in, needed(i));
    }
  }
  had_ = made_;
}

/// Wants more of a border where less than one kernel would be read of an input that holds one:
/// engines may have other kernels for inputs that hold none.
void Restriction::read_whole_kernel() {
  const Operator& op = graph_.node(id_).op;
  const Size2 reach = reach_of(op);
  const auto& [down, across] = grains_[static_cast<std::size_t>(id_)];
  // Kernels that go by groups take inputs of any size.
  const bool by_groups =
      std::holds_alternative<op::Conv>(op) && (down.pixels > 1 || across.pixels > 1);
  if (reach == Size2(1) || by_groups) return;
  const Shape &in = shape(source(0)), &all = shape(id_);
  const auto widen = [&](Interval& out, std::int64_t size, std::int64_t in_size, int kernel,
                         const auto& read) {
    while (read().size() < std::min<std::int64_t>(in_size, kernel) && out.size() < size) {
      const bool at_end = out.end == size || (out.begin > 0 && read().end == in_size);
      at_end ? --out.begin : ++out.end;
    }
  };
  Region& out = made(id_);
  widen(out.y, all.h(), in.h(), reach.h, [&] { return needed(0).y; });
  widen(out.x, all.w(), in.w(), reach.w, [&] { return needed(0).x; });
}

void Restriction::go_by_bands(std::int64_t rows) {
  const std::int64_t picture = shape(graph_.inputs.front()).h();
  for (ValueId id = 0; id <= output_.value; ++id) {
    Region& region = made(id);
    if (region.empty()) continue;
    const std::int64_t stride = picture / shape(id).h();
    require_restricted(stride * shape(id).h() == picture && rows % stride == 0);
    require_restricted(rows / stride % rows_together(id).pixels == 0);
    region.y.begin = region.y.end - rows / stride;
  }
  had_ = made_;
  had(output_.value).y.begin = std::min(made(output_.value).y.begin, wanted_.y.begin);
  for (id_ = output_.value; id_ >= 0; --id_) {
    if (region().empty()) continue;
    const Node& node = graph_.node(id_);
    if (given_again(id_)) made(id_) = had(id_);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Interval read = needed(i).y;
      Interval& in = had(node.inputs[i]).y;
      if (!read.empty()) in.begin = std::min(in.begin, read.begin);
    }
  }
}

bool Restriction::given_again(ValueId id) const {
  const Node& node = graph_.node(id);
  return std::holds_alternative<op::Input>(node.op) ||
         std::holds_alternative<op::Concat>(node.op) ||
         (std::holds_alternative<op::Pad>(node.op) && given_again(node.inputs[0]));
}

RestrictedGraph Restriction::graph() {
  result_.graph.architecture = graph_.architecture;
  result_.graph.parameters = graph_.parameters;
  new_.assign(graph_.nodes.size(), -1);
  for (id_ = 0; id_ <= output_.value; ++id_) {
    if (region().empty()) continue;
    ValueId& value = new_[static_cast<std::size_t>(id_)];
    value = std::visit(*this, graph_.node(id_).op);
    if (had_region(id_) != region()) value = carry(value);
  }
  result_.graph.outputs.push_back({output_.name, part(output_.value, wanted_)});
  return std::move(result_);
}

ValueId Restriction::operator()(const op::Input& input) {
  result_.input = region();
  result_.form.insert(result_.form.end(), {static_cast<int>(result_.input.y.size()),
                                           static_cast<int>(result_.input.x.size())});
  const ValueId id = append(input, {});
  result_.graph.inputs.push_back(id);
  return id;
}

ValueId Restriction::operator()(op::Conv conv) {
  const Region all = windows_of(conv.kernel, conv.stride, conv.dilation, conv.padding);
  const Region read = clipped(all, source(0));
  conv.padding = margins(all, read);
  conv.phase = {phase_of_part(2), phase_of_part(3)};
  result_.form.insert(result_.form.end(), {conv.phase.h, conv.phase.w});
  std::vector<ValueId> inputs{part(source(0), read)};
  if (conv.add) inputs.push_back(part(source(1), region()));
  return append(conv, std::move(inputs), conv.padding);
}

ValueId Restriction::operator()(op::MaxPool pool) {
  return pooled(pool);
}

ValueId Restriction::operator()(op::AveragePool pool) {
  // Else the divisor depends on the place.
  require_restricted(pool.padding == Padding(0) && !pool.ceil);
  return pooled(pool);
}

ValueId Restriction::operator()(op::TransposedConv conv) {
  const Padding& p = conv.padding;
  // Engines may compute a padding beyond the kernel in another way.
  require_restricted(std::max(p.top, p.bottom) < conv.kernel.h &&
                     std::max(p.left, p.right) < conv.kernel.w);
  const Region read = needed(0);
  require_restricted(!read.empty());
  const auto reached = [](Interval in, int stride, int kernel, int before) {
    return Interval{in.begin * stride - before, (in.end - 1) * stride - before + kernel};
  };
  const Region whole{reached(read.y, conv.stride.h, conv.kernel.h, conv.padding.top),
                     reached(read.x, conv.stride.w, conv.kernel.w, conv.padding.left)};
  conv.padding = 0;
  conv.output_padding = 0;
  return trimmed(append(conv, {part(source(0), read)}), whole);
}

ValueId Restriction::operator()(op::Resize resize) {
  const Shape& in = shape(source(0));
  const Shape& out = shape(id_);
  const std::int64_t ratio = out.h() / in.h();
  require_restricted(!resize.align_corners && in.h() * ratio == out.h() &&
                     in.w() * ratio == out.w());
  // Weights of other ratios are rounded by where a pixel lies.
  require_restricted(resize.mode == Interpolation::nearest || (ratio & (ratio - 1)) == 0);
  const Region read = needed(0);
  const Region whole{{read.y.begin * ratio, read.y.end * ratio},
                     {read.x.begin * ratio, read.x.end * ratio}};
  resize.scale = static_cast<int>(ratio);
  resize.divisor = 1;
  return trimmed(append(resize, {part(source(0), read)}), whole);
}

ValueId Restriction::operator()(const op::Pad& pad) {
  const Shape& in = shape(source(0));
  const Padding p = resolve_padding(pad, in.h(), in.w());
  const Region seen{shifted(region().y, -p.top), shifted(region().x, -p.left)};
  const Region own = clipped(seen, source(0));
  if (own == seen) return unchanged(seen);
  const Region read = pad.mode == PadMode::zero ? own : needed(0);
  const Region whole = hull(seen, read);
  const Padding more = margins(whole, read);
  // A mirror shows what lies at the picture's own border; where the part is not all that there is,
  // no more than is there.
  const auto mirrors = [](Interval part, int before, int after, std::int64_t size) {
    return part.size() == size ||
           (before < part.size() && after < part.size() && (before == 0 || part.begin == 0) &&
            (after == 0 || part.end == size));
  };
  require_restricted(pad.mode == PadMode::zero || (mirrors(read.y, more.top, more.bottom, in.h()) &&
                                                   mirrors(read.x, more.left, more.right, in.w())));
  const ValueId padded =
      append(op::Pad{.mode = pad.mode, .margin = more}, {part(source(0), read)}, more);
  return cut(padded, whole, seen);
}

ValueId Restriction::operator()(const op::Crop& crop) {
  const Shape& in = shape(source(0));
  const Shape& to = shape(id_);
  const Size2 at = resolve_crop(crop, in.h(), in.w(), to.h(), to.w());
  return unchanged({shifted(region().y, at.h), shifted(region().x, at.w)});
}

ValueId Restriction::operator()(const op::Multiply& multiply) {
  require_restricted(shape(source(0)) == shape(source(1)));
  return each_pixel(multiply);
}

/// Which pixels of the value at hand are had for the price of one: a group, those that one pixel is
/// magnified to, and of operators that go pixel by pixel what they read first.
Grain Restriction::grain(int axis) const {
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
  if (const auto* up = std::get_if<op::TransposedConv>(&node.op); up && up->padding == Padding(0)) {
    pixels = axis == 2 ? up->stride.h : up->stride.w;
  } else if (std::holds_alternative<op::Resize>(node.op)) {
    pixels = std::max<std::int64_t>(size / shape(node.inputs[0])[axis], 1);
  }
  return {pixels > kLargestGrain ? 1 : pixels, 0};
}

/// Where a group begins, in the part of the value at hand.
int Restriction::phase_of_part(int axis) const {
  const std::int64_t begin = axis == 2 ? region().y.begin : region().x.begin;
  const Interval group = grid_.whole_groups(graph_, id_, axis, {begin, begin + 1});
  return static_cast<int>(group.begin == begin ? 0 : group.end - begin);
}

Region Restriction::windows_of(Size2 kernel, Size2 stride, Size2 dilation, const Padding& p) const {
  return {windows(region().y, kernel.h, stride.h, dilation.h, p.top),
          windows(region().x, kernel.w, stride.w, dilation.w, p.left)};
}

Region Restriction::clipped(const Region& all, ValueId value) const {
  const Region result{inside(all.y, shape(value).h()), inside(all.x, shape(value).w())};
  require_restricted(!result.empty());
  return result;
}

template <typename Pool>
ValueId Restriction::pooled(Pool pool) {
  const Region all = windows_of(pool.kernel, pool.stride, 1, pool.padding);
  const Region read = clipped(all, source(0));
  pool.padding = margins(all, read);
  pool.ceil = false;
  return append(pool, {part(source(0), read)}, pool.padding);
}

/// A part of the first input as it is, in the place of a pad or crop: engines may join what stands
/// around one in another way than what follows one another, and shall not here alone.
ValueId Restriction::unchanged(const Region& seen) {
  return append(op::Pad{}, {part(source(0), seen)});
}

ValueId Restriction::each_pixel(const Operator& op) {
  std::vector<ValueId> inputs;
  for (ValueId input : graph_.node(id_).inputs) inputs.push_back(part(input, region()));
  return append(op, std::move(inputs));
}

ValueId Restriction::append(Operator op, std::vector<ValueId> inputs, const Padding& p) {
  const Node& original = graph_.node(id_);
  return append(
      {original.name, std::move(op), std::move(inputs), original.parameters, original.channels}, p);
}

ValueId Restriction::append(Node node, const Padding& p) {
  result_.form.insert(result_.form.end(),
                      {static_cast<int>(node.op.index()), p.top, p.left, p.bottom, p.right});
  result_.graph.nodes.push_back(std::move(node));
  return static_cast<ValueId>(result_.graph.nodes.size()) - 1;
}

/// The region `to` of an old value, from what the new network has of it.
ValueId Restriction::part(ValueId value, const Region& to) {
  return cut(new_[static_cast<std::size_t>(value)], had_region(value), to);
}

/// The region of the value at hand from the larger one that an operator makes.
ValueId Restriction::trimmed(ValueId value, const Region& whole) {
  return cut(value, whole, region());
}

ValueId Restriction::cut(ValueId value, const Region& have, const Region& to) {
  if (have == to) return value;
  require_restricted(holds(have.y, to.y) && holds(have.x, to.x));
  const Padding margin = negative(margins(have, to));
  const int channels = result_.graph.node(value).channels;
  return append(Node{"cut " + std::to_string(result_.graph.nodes.size()),
                     op::Pad{.margin = margin},
                     {value},
                     {},
                     channels},
                margin);
}

ValueId Restriction::carry(ValueId value) {
  const Padding margin{static_cast<int>(region().y.begin - had_region(id_).y.begin), 0, 0, 0};
  const int channels = result_.graph.node(value).channels;
  const std::string name = graph_.node(id_).name + " and before";
  carried_.push_back(
      {append(Node{name, op::Pad{.margin = margin}, {value}, {}, channels}, margin), id_});
  return carried_.back().pad;
}

}  // namespace segmentum
