#include <algorithm>

#include "base/counted.h"
#include "graph/graph.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 30;  // positions can still be multiplied

std::string pair_text(std::int64_t h, std::int64_t w) {
  return std::to_string(h) + "x" + std::to_string(w);
}

std::int64_t conv_extent(std::int64_t size, int pads, int kernel, int stride, int dilation) {
  const std::int64_t reach = size + pads - static_cast<std::int64_t>(dilation) * (kernel - 1) - 1;
  return reach < 0 ? 0 : reach / stride + 1;
}

std::int64_t pool_extent(std::int64_t size, int before, int after, int kernel, int stride,
                         bool ceil) {
  const std::int64_t reach = size + before + after - kernel;
  if (reach < 0) return 0;
  std::int64_t extent = (ceil ? reach + stride - 1 : reach) / stride + 1;
  // The last window must start inside the picture or its left padding.
  if (ceil && (extent - 1) * stride >= size + before) --extent;
  return extent;
}

/// The rule of each operator; `in` holds the shapes of its inputs.
struct ShapeRule {
  const Node& node;
  std::vector<Shape> in;

  Shape sized(std::int64_t h, std::int64_t w) const {
    if (h < 1 || w < 1) {
      throw Error("would make an empty value from " + pair_text(in[0].h(), in[0].w()));
    }
    if (h > kLargestExtent || w > kLargestExtent) {
      throw Error("would make a value of " + pair_text(h, w) + "; at most 2^30 on a side");
    }
    return {in[0].n(), node.channels, h, w};
  }
  Shape same() const { return sized(in[0].h(), in[0].w()); }

  Shape operator()(const op::Input&) const { throw Error("is an input"); }
  Shape operator()(const op::Conv& o) const {
    const Padding& p = o.padding;
    const Shape result =
        sized(conv_extent(in[0].h(), p.top + p.bottom, o.kernel.h, o.stride.h, o.dilation.h),
              conv_extent(in[0].w(), p.left + p.right, o.kernel.w, o.stride.w, o.dilation.w));
    if (o.add && in[1] != result) {
      throw Error("adds " + in[1].to_string() + " to " + result.to_string());
    }
    return result;
  }
  Shape operator()(const op::TransposedConv& o) const {
    const Padding& p = o.padding;
    return sized((in[0].h() - 1) * o.stride.h - p.top - p.bottom + o.kernel.h + o.output_padding.h,
                 (in[0].w() - 1) * o.stride.w - p.left - p.right + o.kernel.w + o.output_padding.w);
  }
  template <typename Pool>
  Shape pooled(const Pool& o) const {
    const Padding& p = o.padding;
    return sized(pool_extent(in[0].h(), p.top, p.bottom, o.kernel.h, o.stride.h, o.ceil),
                 pool_extent(in[0].w(), p.left, p.right, o.kernel.w, o.stride.w, o.ceil));
  }
  Shape operator()(const op::MaxPool& o) const { return pooled(o); }
  Shape operator()(const op::AveragePool& o) const { return pooled(o); }
  Shape operator()(const op::GlobalAveragePool&) const { return sized(1, 1); }
  Shape operator()(const op::Resize& o) const {
    const auto scaled = [&](std::int64_t size) {
      return (size * o.scale + o.divisor - 1) / o.divisor;
    };
    if (o.scale > 0) return sized(scaled(in[0].h()), scaled(in[0].w()));
    return sized(in[1].h(), in[1].w());
  }
  Shape operator()(const op::Concat&) const {
    for (const Shape& shape : in) {
      if (shape.n() != in[0].n() || shape.h() != in[0].h() || shape.w() != in[0].w()) {
        throw Error("joins values of " + pair_text(in[0].h(), in[0].w()) + " and " +
                    pair_text(shape.h(), shape.w()) + "; crop or resize one to the other");
      }
    }
    return same();
  }
  Shape operator()(const op::Add&) const {
    if (in[0] != in[1]) {
      throw Error("adds " + in[0].to_string() + " and " + in[1].to_string());
    }
    return same();
  }
  Shape operator()(const op::Maximum&) const {
    if (in[0] != in[1]) {
      throw Error("compares " + in[0].to_string() + " and " + in[1].to_string());
    }
    return same();
  }
  Shape operator()(const op::Multiply&) const {
    const bool broadcast = in[1].h() == 1 && in[1].w() == 1;
    if (in[0].n() != in[1].n() || (!broadcast && in[0] != in[1])) {
      throw Error("multiplies " + in[0].to_string() + " by " + in[1].to_string());
    }
    return same();
  }
  Shape operator()(const op::Pad& o) const {
    const Padding p = resolve_padding(o, in[0].h(), in[0].w());
    return sized(in[0].h() + p.top + p.bottom, in[0].w() + p.left + p.right);
  }
  Shape operator()(const op::Crop& o) const {
    const Size2 at = resolve_crop(o, in[0].h(), in[0].w(), in[1].h(), in[1].w());
    if (at.h < 0 || at.w < 0 || at.h + in[1].h() > in[0].h() || at.w + in[1].w() > in[0].w()) {
      throw Error("crops " + pair_text(in[1].h(), in[1].w()) + " at (" + std::to_string(at.h) +
                  "," + std::to_string(at.w) + ") out of " + pair_text(in[0].h(), in[0].w()));
    }
    return sized(in[1].h(), in[1].w());
  }
  Shape operator()(const op::MeanField&) const {
    if (in[0].n() != in[1].n() || in[0].h() != in[1].h() || in[0].w() != in[1].w()) {
      throw Error("refines scores " + in[0].to_string() + " by a picture " + in[1].to_string() +
                  "; crop or resize one to the other");
    }
    return same();
  }
  Shape operator()(const auto&) const { return same(); }
};

}  // namespace

Padding resolve_padding(const op::Pad& pad, std::int64_t h, std::int64_t w) {
  const auto missing = [&](std::int64_t size) {
    const std::int64_t over = (size - pad.remainder) % pad.multiple;
    return static_cast<int>(over == 0 ? 0 : over < 0 ? -over : pad.multiple - over);
  };
  Padding result = pad.margin;
  result.bottom += missing(h + pad.margin.top + pad.margin.bottom);
  result.right += missing(w + pad.margin.left + pad.margin.right);
  return result;
}

Size2 resolve_crop(const op::Crop& crop, std::int64_t h, std::int64_t w, std::int64_t to_h,
                   std::int64_t to_w) {
  if (!crop.centre) return crop.offset;
  return {static_cast<int>((h - to_h) / 2), static_cast<int>((w - to_w) / 2)};
}

std::vector<Shape> infer_shapes(const Graph& graph, std::span<const Shape> inputs) {
  if (inputs.size() != graph.inputs.size()) {
    throw Error("the network has " + counted(graph.inputs.size(), "input") + "; " +
                std::to_string(inputs.size()) + " shapes were given");
  }
  std::vector<Shape> shapes(graph.nodes.size());
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    if (std::holds_alternative<op::Input>(node.op)) {
      const auto found = std::ranges::find(graph.inputs, static_cast<ValueId>(id));
      if (found == graph.inputs.end()) throw Error("input \"" + node.name + "\" is not listed");
      const Shape& given = inputs[static_cast<std::size_t>(found - graph.inputs.begin())];
      if (given.rank() != 4 || given.c() != node.channels || given.n() < 1 || given.h() < 1 ||
          given.w() < 1 || given.h() > kLargestExtent || given.w() > kLargestExtent) {
        throw Error("input \"" + node.name + "\" was given " + given.to_string() + "; expected Nx" +
                    std::to_string(node.channels) + "xHxW");
      }
      shapes[id] = given;
      continue;
    }
    ShapeRule rule{node, {}};
    for (ValueId input : node.inputs) rule.in.push_back(shapes[static_cast<std::size_t>(input)]);
    try {
      shapes[id] = std::visit(rule, node.op);
    } catch (const Error& error) {
      throw Error("node \"" + node.name + "\" (" + operator_name(node.op) + ") " + error.what());
    }
  }
  return shapes;
}

}  // namespace segmentum
