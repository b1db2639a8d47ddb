#include "graph/alignment.h"

#include <fmt/format.h>

#include <cmath>

#include "segmentum/error.h"

namespace segmentum {
namespace {

// Strides and shifts are mostly halves and powers of two, which double holds exactly; thirds are
// off by some 1e-16.
constexpr double kSamePlace = 1e-6;  // in pixels

/// One axis of an operator: from the grid of its first input to that of its result.
struct GridRule {
  bool rows;
  PixelGrid in;

  int pick(Size2 size) const { return rows ? size.h : size.w; }
  int before(const Padding& p) const { return rows ? p.top : p.left; }

  PixelGrid shifted(double pixels) const { return {in.first + pixels * in.step, in.step}; }
  /// Result pixel i is centred on a window of the input that begins at i * stride - pad.
  PixelGrid windows(int extent, Size2 stride, const Padding& pad) const {
    return {shifted((extent - 1) / 2.0 - before(pad)).first, in.step * pick(stride)};
  }

  using Result = std::optional<PixelGrid>;
  Result operator()(const op::Input&) const { return PixelGrid{}; }
  Result operator()(const op::Conv& o) const {
    return windows(pick(o.dilation) * (pick(o.kernel) - 1) + 1, o.stride, o.padding);
  }
  Result operator()(const op::MaxPool& o) const {
    return windows(pick(o.kernel), o.stride, o.padding);
  }
  Result operator()(const op::AveragePool& o) const {
    return windows(pick(o.kernel), o.stride, o.padding);
  }
  // Input pixel i is spread over a window of the result that begins at i * stride - pad.
  Result operator()(const op::TransposedConv& o) const {
    const double stride = pick(o.stride);
    const double centre = (pick(o.kernel) - 1) / 2.0 - before(o.padding);
    return PixelGrid{shifted(-centre / stride).first, in.step / stride};
  }
  Result operator()(const op::Resize& o) const {
    const bool corners = o.align_corners && o.mode == Interpolation::bilinear;
    const bool whole = o.scale > 0 && o.scale % o.divisor == 0;  // others round the size
    if (!whole || (corners && o.scale != o.divisor)) return std::nullopt;
    const int scale = o.scale / o.divisor;
    return PixelGrid{shifted(0.5 / scale - 0.5).first, in.step / scale};
  }
  Result operator()(const op::Pad& o) const { return shifted(-before(o.margin)); }
  Result operator()(const op::Crop& o) const {
    if (o.centre) return std::nullopt;
    return shifted(pick(o.offset));
  }
  Result operator()(const op::GlobalAveragePool&) const { return std::nullopt; }
  Result operator()(const auto&) const { return in; }
};

int offset_along(const PixelGrid& from, const PixelGrid& onto, const std::string& what) {
  if (std::abs(from.step - onto.step) > kSamePlace * onto.step) {
    throw Error(fmt::format("{}: their pixels lie {:.6g} and {:.6g} input pixels apart", what,
                            from.step, onto.step));
  }
  const double offset = (onto.first - from.first) / onto.step;
  const double whole = std::round(offset);
  if (std::abs(offset - whole) > kSamePlace) {
    throw Error(fmt::format(
        "{}: it would have to begin at pixel {:.6g}; another padding or kernel moves it to a "
        "whole one",
        what, offset));
  }
  if (whole < 0) {
    throw Error(fmt::format("{}: it begins {:.6g} pixels too late; more padding before it helps",
                            what, -whole));
  }
  return static_cast<int>(whole);
}

const Placement& place_of(const std::vector<std::optional<Placement>>& places, const Graph& graph,
                          ValueId value, const std::string& what) {
  const auto& place = places[static_cast<std::size_t>(value)];
  if (place) return *place;
  throw Error(what + ": where \"" + graph.node(value).name +
              "\" lies depends on the picture's size");
}

}  // namespace

std::vector<std::optional<Placement>> placements(const Graph& graph) {
  std::vector<std::optional<Placement>> places;
  for (const Node& node : graph.nodes) {
    const std::optional<Placement> in =
        node.inputs.empty() ? Placement{} : places[static_cast<std::size_t>(node.inputs[0])];
    std::optional<Placement> place;
    if (in) {
      const auto y = std::visit(GridRule{true, in->y}, node.op);
      const auto x = std::visit(GridRule{false, in->x}, node.op);
      if (y && x) place = Placement{*y, *x};
    }
    places.push_back(place);
  }
  return places;
}

Size2 aligned_offset(const Graph& graph, ValueId from, ValueId onto) {
  const std::string what =
      "\"" + graph.node(from).name + "\" cannot be cropped onto \"" + graph.node(onto).name + "\"";
  const auto places = placements(graph);
  const Placement& a = place_of(places, graph, from, what);
  const Placement& b = place_of(places, graph, onto, what);
  return {offset_along(a.y, b.y, what), offset_along(a.x, b.x, what)};
}

}  // namespace segmentum
