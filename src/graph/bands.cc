#include "graph/bands.h"

#include <algorithm>
#include <numeric>

#include "graph/restriction.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kFar = 3 << 14;  // a multiple of usual strides times groups of 4 and 6

/// Half of a picture so tall that its middle is out of reach of its ends; sizes cost nothing.
std::int64_t far(std::int64_t rows) {
  return (kFar + rows - 1) / rows * rows;
}

bool reaches_beyond(int kernel, int stride, int before, int after) {
  return kernel > stride || before > 0 || after > 0;
}

/// The steps of a network at the real picture's height beside those of the tall one's, of which a
/// band is computed: what a band makes must not depend on the height.
class HeightCheck {
 public:
  HeightCheck(const Graph& graph, const Shape& picture, const Restriction& bands, std::int64_t rows)
      : graph_(graph),
        real_(infer_shapes(graph, {&picture, 1})),
        bands_(bands),
        rows_(rows),
        tall_(bands.shapes()[static_cast<std::size_t>(graph.inputs.front())].h()) {}

  /// Rows below the picture that mirror it.
  std::int64_t mirrored() const { return mirrored_; }

  void operator()(ValueId id) {
    id_ = id;
    std::visit(*this, graph_.node(id).op);
  }

  CarriedRows carried(const Restriction::Carried& carried) const {
    const std::int64_t stride = tall_ / tall(carried.value).h();
    return {carried.pad, bands_.had_region(carried.value).y.begin - tall(carried.value).h() / 2,
            rows_ / stride, real(carried.value).h()};
  }

  void operator()(const op::Conv& conv) const {
    // Depthwise ones are joined with their neighbours.
    require_restricted(conv.groups == 1);
    require_zeros_beyond(
        reaches_beyond(conv.kernel.h, conv.stride.h, conv.padding.top, conv.padding.bottom));
  }
  void operator()(const op::TransposedConv& conv) const {
    require_zeros_beyond(
        reaches_beyond(conv.kernel.h, conv.stride.h, conv.padding.top, conv.padding.bottom));
  }
  void operator()(const op::MaxPool& pool) const { require_apart(pool); }
  void operator()(const op::AveragePool& pool) const { require_apart(pool); }
  void operator()(const op::Resize& resize) const {
    const auto ratio = [&](const Shape& in, const Shape& out) { return out.h() / in.h(); };
    const std::int64_t times = ratio(tall(input()), tall(id_));
    require_restricted(resize.mode == Interpolation::nearest &&
                       real(id_).h() == real(input()).h() * times);
  }
  void operator()(const op::Crop& crop) const {
    const Shape &in = real(input()), &out = real(id_), &whole = tall(input()), &part = tall(id_);
    require_restricted(resolve_crop(crop, in.h(), in.w(), out.h(), out.w()).h ==
                       resolve_crop(crop, whole.h(), whole.w(), part.h(), part.w()).h);
  }
  void operator()(const op::Pad& pad) {
    const Padding p = resolve_padding(pad, real(input()).h(), real(input()).w());
    if (p.top == 0 && p.bottom == 0) return;
    require_restricted(p.top == 0 && pad.mode == PadMode::mirror && pixels_read_once(input()) &&
                       std::holds_alternative<op::Input>(graph_.node(input()).op));
    mirrored_ = p.bottom;
  }
  void operator()(const auto&) const {}

 private:
  const Shape& real(ValueId id) const { return real_[static_cast<std::size_t>(id)]; }
  const Shape& tall(ValueId id) const { return bands_.shapes()[static_cast<std::size_t>(id)]; }
  ValueId input() const { return graph_.node(id_).inputs[0]; }

  /// Rows beyond a value are made zeros where they are carried; of an input they are given so.
  void require_zeros_beyond(bool reaches) const {
    require_restricted(!reaches || zeros_beyond(input()));
  }
  bool zeros_beyond(ValueId id) const {
    const Node& node = graph_.node(id);
    const auto zeros = [&](ValueId value) { return zeros_beyond(value); };
    if (std::holds_alternative<op::Concat>(node.op)) return std::ranges::all_of(node.inputs, zeros);
    return bands_.had_region(id) != bands_.made_region(id) || bands_.given_again(id);
  }
  template <typename Pool>
  void require_apart(const Pool& pool) const {
    require_restricted(
        !reaches_beyond(pool.kernel.h, pool.stride.h, pool.padding.top, pool.padding.bottom));
    // The last window of one that rounds up would hold rows that are not there.
    require_restricted(real(id_).h() * pool.stride.h <= real(input()).h());
  }
  bool pixels_read_once(ValueId value) const {
    int readers = 0;
    for (ValueId id = 0; id < std::ssize(graph_.nodes); ++id) {
      const Node& node = graph_.node(id);
      const bool sized =
          std::holds_alternative<op::Crop>(node.op) || std::holds_alternative<op::Resize>(node.op);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == value && (i == 0 || !sized)) ++readers;
      }
    }
    return readers == 1;
  }

  const Graph& graph_;
  const std::vector<Shape> real_;
  const Restriction& bands_;
  const std::int64_t rows_, tall_;
  ValueId id_ = 0;
  std::int64_t mirrored_ = 0;
};

/// How many bands of `each` rows earlier a row was made that lies so many rows above a band's
/// first.
std::int64_t bands_back(std::int64_t above, std::int64_t each) {
  return (std::max<std::int64_t>(above, 0) + each - 1) / each;
}

BandedGraph make_bands(const Graph& graph, const Shape& picture, const std::string& output,
                       Interval columns, std::int64_t rows, const ConvolutionGrid& grid) {
  const std::int64_t middle = far(rows);
  const Shape tall{1, picture.c(), 2 * middle, picture.w()};
  Restriction restriction(graph, tall, grid);
  const ValueId last = graph.output(output);
  require_restricted(restriction.shapes()[static_cast<std::size_t>(last)].h() == tall.h());
  restriction.want(output, {{middle, middle + rows}, columns});
  std::vector<Interval> needed;
  for (ValueId id = 0; id <= last; ++id) needed.push_back(restriction.made_region(id).y);
  restriction.go_by_bands(rows);
  BandedGraph result{.rows = rows, .height = picture.h()};
  HeightCheck check(graph, picture, restriction, rows);
  for (ValueId id = 0; id <= last; ++id) {
    const Interval made = restriction.made_region(id).y;
    if (made.empty()) continue;
    check(id);
    const std::int64_t height = restriction.shapes()[static_cast<std::size_t>(id)].h();
    const std::int64_t each = rows * height / tall.h();
    const std::int64_t needed_from = needed[static_cast<std::size_t>(id)].begin;
    result.before = std::max(result.before, bands_back(made.end - each - needed_from, each));
    result.before_first =
        std::max(result.before_first, bands_back(made.end - each - height / 2, each));
  }
  result.mirrored = check.mirrored();
  RestrictedGraph part = restriction.graph();
  for (const auto& carried : restriction.carried()) {
    result.carried.push_back(check.carried(carried));
  }
  result.graph = std::move(part.graph);
  result.input = {{part.input.y.begin - middle, part.input.y.end - middle}, part.input.x};
  return result;
}

}  // namespace

std::optional<BandedGraph> in_bands(const Graph& graph, const Shape& picture,
                                    const std::string& output, Interval columns, std::int64_t rows,
                                    const ConvolutionGrid& grid) {
  if (graph.inputs.size() != 1) return std::nullopt;
  try {
    return make_bands(graph, picture, output, columns, rows, grid);
  } catch (const CannotRestrict&) {
    return std::nullopt;
  }
}

std::int64_t band_unit(const Graph& graph, const std::string& output, const ConvolutionGrid& grid) {
  if (graph.inputs.size() != 1) return 0;
  const Shape picture{1, graph.node(graph.inputs.front()).channels, 2 * kFar, 2 * kFar};
  try {
    const Restriction restriction(graph, picture, grid);
    std::int64_t unit = 1;
    for (ValueId id = 0; id <= graph.output(output); ++id) {
      const std::int64_t height = restriction.shapes()[static_cast<std::size_t>(id)].h();
      if (picture.h() % height != 0) return 0;
      unit = std::lcm(unit, picture.h() / height * restriction.rows_together(id).pixels);
    }
    return unit;
  } catch (const Error&) {
    return 0;  // of a picture that large there are no bands either
  }
}

}  // namespace segmentum
