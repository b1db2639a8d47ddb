// Operators whose result has another size. Sizes are known where one is fixed; else the file
// computes them from its picture's.
#include <algorithm>
#include <utility>

#include "interop/onnx/graph_exporter.h"

namespace segmentum {

Extent GraphExporter::extent(ValueId id, int axis) {
  if (axis == 1) return graph_.node(id).channels;
  if (o_.size) return fixed_[static_cast<std::size_t>(id)][axis];
  const std::string& value = values_[static_cast<std::size_t>(id)];
  std::string& shape = shapes_[id];
  if (shape.empty()) shape = emit_.node("Shape", emit_.unique(value + "/shape"), {value});
  const char* const names[] = {"/batch", "/channels", "/height", "/width"};
  return emit_.gathered(shape, axis, value + names[axis]);
}

std::string GraphExporter::operator()(const op::Resize& o) {
  const ValueId x = input_id(0);
  const bool nearest = o.mode == Interpolation::nearest;
  const bool whole = o.scale > 0 && o.divisor == 1;
  std::vector<Extent> to{extent(x, 0), node().channels};
  for (const int axis : {2, 3}) {
    const Extent from = extent(x, axis);
    to.push_back(o.scale == 0 ? extent(input_id(1), axis)
                              : emit_.over(emit_.plus(emit_.times(from, o.scale), o.divisor - 1),
                                           o.divisor));
  }
  // Nearest by a whole factor means the same to everybody if counted from the edge.
  const bool known_factor = to[2].known && to[3].known && extent(x, 2).known &&
                            *to[2].known % *extent(x, 2).known == 0 &&
                            *to[3].known % *extent(x, 3).known == 0;
  std::vector<OnnxAttribute> attributes{attribute("mode", nearest ? "nearest" : "linear")};
  if (!nearest) {
    attributes.push_back(attribute("coordinate_transformation_mode",
                                   o.align_corners ? "align_corners" : "half_pixel"));
  } else if (whole || known_factor) {
    attributes.push_back(attribute("coordinate_transformation_mode", "asymmetric"));
    attributes.push_back(attribute("nearest_mode", "floor"));
  } else {
    attributes.push_back(attribute("coordinate_transformation_mode", "half_pixel"));
    attributes.push_back(attribute("nearest_mode", "round_prefer_ceil"));
  }
  std::vector<std::string> inputs{input(0), emit_.no_reals(o_.opset)};
  if (whole) {
    const auto factor = static_cast<float>(o.scale);
    inputs.push_back(emit_.reals({1, 1, factor, factor}, {4}));
  } else {
    inputs.push_back(emit_.no_reals(o_.opset));
    inputs.push_back(emit_.array(to));
  }
  return emit_.node("Resize", result(), std::move(inputs), std::move(attributes));
}

/// The weights of the places are a one in each, magnified; a grouped convolution of ones sums them
/// up.
std::string GraphExporter::operator()(const op::LocationGrid& o) {
  const ValueId x = input_id(0);
  const std::int64_t grid = o.grid, places = grid * grid, classes = node().channels;
  std::vector<float> ones(static_cast<std::size_t>(places * places), 0);
  for (std::int64_t i = 0; i < places; ++i) ones[static_cast<std::size_t>(i * (places + 1))] = 1;
  const std::string sizes = emit_.array({1, places, extent(x, 2), extent(x, 3)});
  std::string near = emit_.node(
      "Resize", step("places"),
      {emit_.reals(ones, {1, places, grid, grid}), emit_.no_reals(o_.opset),
       emit_.no_reals(o_.opset), sizes},
      {attribute("mode", "linear"), attribute("coordinate_transformation_mode", "half_pixel")});
  if (classes > 1) {
    near = emit_.node("Concat", step("places_of_classes"),
                      std::vector<std::string>(static_cast<std::size_t>(classes), near),
                      {attribute("axis", std::int64_t{1})});
  }
  const std::string scores = emit_.node("Mul", step("weighted"), {input(0), near});
  const std::vector<float> sum(static_cast<std::size_t>(classes * places), 1);
  return emit_.node(
      "Conv", result(), {scores, emit_.reals(sum, {classes, places, 1, 1})},
      {attribute("kernel_shape", std::vector<std::int64_t>{1, 1}), attribute("group", classes)});
}

std::string GraphExporter::operator()(const op::Crop& o) {
  const ValueId x = input_id(0), like = input_id(1);
  std::vector<Extent> starts, ends;
  for (const int axis : {2, 3}) {
    const Extent size = extent(like, axis);
    starts.push_back(o.centre ? emit_.over(emit_.minus(extent(x, axis), size), 2)
                              : Extent(axis == 2 ? o.offset.h : o.offset.w));
    ends.push_back(emit_.plus(starts.back(), size));
  }
  return emit_.node("Slice", result(),
                    {input(0), emit_.array(starts), emit_.array(ends), emit_.wholes({2, 3})});
}

std::string GraphExporter::operator()(const op::Pad& o) {
  const ValueId x = input_id(0);
  const Padding& m = o.margin;
  const auto missing = [&](const Extent& size, std::int64_t margins) -> Extent {
    if (o.multiple == 1) return 0;
    return emit_.modulo(emit_.minus(o.remainder - margins, size), o.multiple);
  };
  const std::array<Extent, 4> pads{m.top, m.left,
                                   emit_.plus(missing(extent(x, 2), m.top + m.bottom), m.bottom),
                                   emit_.plus(missing(extent(x, 3), m.left + m.right), m.right)};
  if (o.mode == PadMode::mirror) return mirrored(o, pads);
  const std::string all = emit_.array({0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]});
  return emit_.node("Pad", result(), {input(0), all},
                    {attribute("mode", o.mode == PadMode::edge ? "edge" : "constant")});
}

/// ONNX's reflection reaches no further than the picture. Ours goes on to and fro, so that a
/// picture of a few pixels fills any frame: rows and columns are gathered by number.
std::string GraphExporter::mirrored(const op::Pad& o, const std::array<Extent, 4>& pads) {
  const ValueId x = input_id(0);
  const Extent h = extent(x, 2), w = extent(x, 3);
  const auto below = [](const Extent& pad, const Extent& size) {
    return pad.known && size.known && *pad.known < *size.known;
  };
  if (below(pads[0], h) && below(pads[2], h) && below(pads[1], w) && below(pads[3], w)) {
    const std::string all = emit_.array({0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]});
    return emit_.node("Pad", result(), {input(0), all}, {attribute("mode", "reflect")});
  }
  const auto total = [&](const Extent& size, std::int64_t before, const Extent& after) {
    return emit_.plus(emit_.plus(size, before), after);
  };
  const std::string rows = mirrored_lines(h, o.margin.top, total(h, o.margin.top, pads[2]));
  const std::string columns = mirrored_lines(w, o.margin.left, total(w, o.margin.left, pads[3]));
  const std::string tall =
      emit_.node("Gather", step("rows"), {input(0), rows}, {attribute("axis", std::int64_t{2})});
  return emit_.node("Gather", result(), {tall, columns}, {attribute("axis", std::int64_t{3})});
}

std::string GraphExporter::mirrored_lines(const Extent& size, std::int64_t before,
                                          const Extent& total) {
  if (size.known && total.known) {
    std::vector<std::int64_t> lines;
    const std::int64_t period = std::max<std::int64_t>(2 * (*size.known - 1), 1);
    for (std::int64_t i = -before; i < *total.known - before; ++i) {
      const std::int64_t at = ((i % period) + period) % period;
      lines.push_back(std::min(at, period - at));
    }
    return emit_.wholes(lines);
  }
  // period = 2 * (size - 1), or 1 for one line; at = i mod period; line = min(at, period - at),
  // which is (period - |2 * at - period|) / 2.
  const std::string is_one =
      emit_.node("Equal", step("is_one"), {emit_.name_of(size), emit_.wholes({1})});
  const Extent one(emit_.node("Cast", step("one"), {is_one},
                              {attribute("to", static_cast<std::int64_t>(OnnxType::i64))}));
  const Extent period = emit_.plus(emit_.times(emit_.minus(size, 1), 2), one);
  const auto scalar = [&](const Extent& extent) {
    return extent.known ? emit_.whole(*extent.known)
                        : emit_.node("Squeeze", step("limit"), {extent.name});
  };
  const Extent i(
      emit_.node("Range", step("lines"),
                 {emit_.whole(-before), scalar(emit_.minus(total, before)), emit_.whole(1)}));
  const Extent twice = emit_.times(emit_.modulo(i, period), 2);
  const Extent off(emit_.node("Abs", step("off"), {emit_.name_of(emit_.minus(twice, period))}));
  return emit_.name_of(emit_.over(emit_.minus(period, off), 2));
}

}  // namespace segmentum
