#include "interop/onnx/export_onnx.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/version.h"
#include "graph/rewrite.h"
#include "interop/onnx/metadata.h"
#include "interop/onnx/onnx_emitter.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr float kByteRange = 255;
constexpr const char* kLabels = "labels";

/// The oldest version of the file format that has the operator set.
int ir_version(int opset) {
  constexpr std::array<std::pair<int, int>, 5> kSince{
      {{21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}}};
  for (const auto& [since, version] : kSince) {
    if (opset >= since) return version;
  }
  return kSince.back().second;
}

std::vector<std::int64_t> both(Size2 size) {
  return {size.h, size.w};
}

std::vector<std::int64_t> begins_and_ends(const Padding& p) {
  return {p.top, p.left, p.bottom, p.right};
}

/// Writes one graph; operator() writes one node's operator and returns its result's name.
class GraphExporter {
 public:
  GraphExporter(const Graph& graph, const ParameterStore& parameters, const Preprocess& preprocess,
                const OnnxExportOptions& options)
      : graph_(graph),
        parameters_(parameters),
        preprocess_(preprocess),
        o_(options),
        emit_(model_),
        values_(graph.nodes.size()),
        initializers_(graph.parameters.size()) {}

  OnnxModel exported() &&;

  std::string operator()(const op::Input& o);
  std::string operator()(const op::Conv& o);
  std::string operator()(const op::TransposedConv& o);
  std::string operator()(const op::BatchNorm& o);
  std::string operator()(const op::GroupNorm& o);
  std::string operator()(const op::Activate& o);
  std::string operator()(const op::MaxPool& o);
  std::string operator()(const op::AveragePool& o);
  std::string operator()(const op::GlobalAveragePool& o);
  std::string operator()(const op::Resize& o);
  std::string operator()(const op::Concat& o);
  std::string operator()(const op::Add& o);
  std::string operator()(const op::Multiply& o);
  std::string operator()(const op::Pad& o);
  std::string operator()(const op::Crop& o);
  std::string operator()(const op::Dropout& o);
  std::string operator()(const op::Softmax& o);
  std::string operator()(const op::Maximum& o);
  std::string operator()(const op::LocationGrid& o);

 private:
  void write_header();
  void write_outputs();
  bool is_labels(const Output& output) const { return o_.argmax && output.name == "logits"; }
  void write_labels(const Output& logits);
  OnnxValueInfo info(const std::string& name, ValueId id) const;

  const Node& node() const { return graph_.node(id_); }
  ValueId input_id(std::size_t i) const { return node().inputs[i]; }
  std::string input(std::size_t i) const { return values_[static_cast<std::size_t>(input_id(i))]; }
  /// The name of the node's result.
  std::string result() { return output_name_.empty() ? emit_.unique(node().name) : output_name_; }
  /// Of a value on the way there.
  std::string step(const char* what) { return emit_.unique(node().name + "/" + what); }
  std::string parameter(std::size_t i, std::vector<std::int64_t> dims = {});
  /// x with the activation applied, as the node's result; x is named by `x(name)`.
  template <typename Emit>
  std::string activated(const Activation& activation, const Emit& emit);
  std::string activation_node(const Activation& activation, const std::string& x,
                              const std::string& name);

  Extent extent(ValueId id, int axis);
  /// Numbers of the lines, mirrored at both ends, that make `size` lines `total` with `before`.
  std::string mirrored_lines(const Extent& size, std::int64_t before, const Extent& total);
  std::string mirrored(const op::Pad& o, const std::array<Extent, 4>& pads);
  void require_windows_inside(Size2 kernel, Size2 stride, const Padding& padding) const;

  const Graph& graph_;
  const ParameterStore& parameters_;
  const Preprocess& preprocess_;
  const OnnxExportOptions& o_;
  OnnxModel model_;
  OnnxEmitter emit_;
  std::vector<std::string> values_;        // names by ValueId
  std::vector<std::string> initializers_;  // names by parameter
  std::map<ValueId, std::string> shapes_;  // names of Shape's results
  std::vector<Shape> fixed_;               // by ValueId, where the size is fixed
  ValueId id_ = 0;                         // of the node that is being written
  std::string output_name_;                // of its result, where it is an output
};

void GraphExporter::write_header() {
  model_.ir_version = ir_version(o_.opset);
  model_.producer = "segmentum";
  model_.producer_version = segmentum_version();
  model_.opsets[""] = o_.opset;
  model_.graph_name = graph_.architecture;
}

OnnxValueInfo GraphExporter::info(const std::string& name, ValueId id) const {
  OnnxValueInfo info{.name = name, .type = OnnxType::f32, .dims = std::vector<OnnxDim>(4)};
  auto& dims = *info.dims;
  dims[1].size = graph_.node(id).channels;
  if (o_.size) {
    const Shape& shape = fixed_[static_cast<std::size_t>(id)];
    for (int axis : {0, 2, 3}) dims[static_cast<std::size_t>(axis)].size = shape[axis];
    return info;
  }
  // Two sizes tell a result of the picture's size from others.
  const auto of_picture_size = [&](std::int64_t h, std::int64_t w) {
    std::vector<Shape> inputs;
    for (const ValueId input : graph_.inputs) {
      inputs.push_back({1, graph_.node(input).channels, h, w});
    }
    const Shape shape = infer_shapes(graph_, inputs)[static_cast<std::size_t>(id)];
    return shape.h() == h && shape.w() == w;
  };
  const bool is_picture = of_picture_size(320, 256) && of_picture_size(512, 768);
  dims[0].name = "batch";
  dims[2].name = is_picture ? "height" : name + "_height";
  dims[3].name = is_picture ? "width" : name + "_width";
  return info;
}

OnnxModel GraphExporter::exported() && {
  write_header();
  if (o_.size) {
    std::vector<Shape> inputs;
    for (const ValueId input : graph_.inputs) {
      inputs.push_back({1, graph_.node(input).channels, o_.size->h, o_.size->w});
    }
    fixed_ = infer_shapes(graph_, inputs);
  }
  for (const Output& output : graph_.outputs) {
    emit_.unique(is_labels(output) ? kLabels : output.name);  // taken before any node's name
  }
  for (id_ = 0; id_ < static_cast<ValueId>(graph_.nodes.size()); ++id_) {
    const auto output = std::ranges::find(graph_.outputs, id_, &Output::value);
    const bool is_output = output != graph_.outputs.end() && !is_labels(*output);
    output_name_ = is_output ? output->name : "";
    try {
      values_[static_cast<std::size_t>(id_)] = std::visit(*this, node().op);
    } catch (const Error& error) {
      throw Error("node \"" + node().name + "\" (" + operator_name(node().op) + ") " +
                  error.what());
    }
  }
  write_outputs();
  return std::move(model_);
}

void GraphExporter::write_outputs() {
  for (const Output& output : graph_.outputs) {
    if (is_labels(output)) {
      write_labels(output);
      continue;
    }
    const std::string& value = values_[static_cast<std::size_t>(output.value)];
    if (value != output.name) emit_.node("Identity", output.name, {value});
    model_.outputs.push_back(info(output.name, output.value));
  }
}

/// The class of every pixel: the first of the largest logits, as `most_likely` has it.
void GraphExporter::write_labels(const Output& logits) {
  const std::string& value = values_[static_cast<std::size_t>(logits.value)];
  const std::string labels = kLabels;
  if (graph_.node(logits.value).channels > 1) {
    emit_.node("ArgMax", labels, {value},
               {attribute("axis", std::int64_t{1}), attribute("keepdims", std::int64_t{0})});
  } else {  // not x < 0; GreaterOrEqual is of opset 12
    const std::string below =
        emit_.node("Less", emit_.unique("labels/below"), {value, emit_.reals({0}, {})});
    const std::string is_class = emit_.node("Not", emit_.unique("labels/not_below"), {below});
    const std::string number =
        emit_.node("Cast", emit_.unique("labels/number"), {is_class},
                   {attribute("to", static_cast<std::int64_t>(OnnxType::i64))});
    if (o_.opset >= 13) {
      emit_.node("Squeeze", labels, {number, emit_.wholes({1})});
    } else {
      emit_.node("Squeeze", labels, {number}, {attribute("axes", std::vector<std::int64_t>{1})});
    }
  }
  OnnxValueInfo about = info(labels, logits.value);
  about.type = OnnxType::i64;
  about.dims->erase(about.dims->begin() + 1);
  model_.outputs.push_back(std::move(about));
}

std::string GraphExporter::parameter(std::size_t i, std::vector<std::int64_t> dims) {
  const auto index = static_cast<std::size_t>(node().parameters[i]);
  std::string& name = initializers_[index];
  if (!name.empty()) return name;
  const Tensor& value = parameters_.value(graph_.parameters[index].name);
  if (dims.empty()) {
    for (int axis = 0; axis < value.shape().rank(); ++axis) dims.push_back(value.shape()[axis]);
  }
  const auto numbers = value.values();
  name = emit_.unique(graph_.parameters[index].name);
  model_.initializers.push_back(
      {.name = name,
       .type = OnnxType::f32,
       .dims = std::move(dims),
       .bytes = {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()}});
  return name;
}

// --- activations ---

std::string GraphExporter::activation_node(const Activation& activation, const std::string& x,
                                           const std::string& name) {
  switch (activation.kind) {
    case ActivationKind::relu:
      return emit_.node("Relu", name, {x});
    case ActivationKind::leaky_relu:
      return emit_.node("LeakyRelu", name, {x}, {attribute("alpha", activation.slope)});
    case ActivationKind::relu6:
      if (o_.size) {  // OpenCV 4.6 reads no Clip with bounds as inputs: 6 * clip(x / 6, 0, 1)
        const std::string part =
            emit_.node("HardSigmoid", step("part"), {x},
                       {attribute("alpha", 1.0f / 6), attribute("beta", 0.0f)});
        return emit_.node("Mul", name, {part, emit_.reals({6}, {})});
      }
      return emit_.node("Clip", name, {x, emit_.reals({0}, {}), emit_.reals({6}, {})});
    case ActivationKind::sigmoid:
      return emit_.node("Sigmoid", name, {x});
    case ActivationKind::hard_sigmoid:
      return emit_.node("HardSigmoid", name, {x},
                        {attribute("alpha", 1.0f / 6), attribute("beta", 0.5f)});
    case ActivationKind::hard_swish: {
      if (o_.opset >= 14) return emit_.node("HardSwish", name, {x});
      const std::string factor = activation_node(ActivationKind::hard_sigmoid, x, step("factor"));
      return emit_.node("Mul", name, {x, factor});
    }
    case ActivationKind::none:
      break;
  }
  return emit_.node("Identity", name, {x});
}

template <typename Emit>
std::string GraphExporter::activated(const Activation& activation, const Emit& emit) {
  if (activation.kind == ActivationKind::none) return emit(result());
  const std::string x = emit(step("linear"));
  return activation_node(activation, x, result());
}

// --- layers ---

std::string GraphExporter::operator()(const op::Input& o) {
  std::string name = result();
  model_.inputs.push_back(info(name, id_));
  if (!o_.preprocess) return name;
  // (x / 255 - mean) / std
  std::vector<float> scale, shift;
  for (std::size_t c = 0; c < preprocess_.mean.size(); ++c) {
    scale.push_back(1 / (kByteRange * preprocess_.std[c]));
    shift.push_back(-preprocess_.mean[c] / preprocess_.std[c]);
  }
  if (preprocess_.channels() != o.channels) throw Error("has another number of channels");
  const std::vector<std::int64_t> dims{1, o.channels, 1, 1};
  const std::string scaled = emit_.node("Mul", step("scaled"), {name, emit_.reals(scale, dims)});
  return emit_.node("Add", step("preprocessed"), {scaled, emit_.reals(shift, dims)});
}

std::string GraphExporter::operator()(const op::Conv& o) {
  return activated(o.activation, [&](const std::string& name) {
    std::vector<std::string> inputs{input(0), parameter(0)};
    if (o.bias) inputs.push_back(parameter(1));
    const std::string x = emit_.node(
        "Conv", o.add ? step("product") : name, std::move(inputs),
        {attribute("kernel_shape", both(o.kernel)), attribute("strides", both(o.stride)),
         attribute("dilations", both(o.dilation)), attribute("pads", begins_and_ends(o.padding)),
         attribute("group", std::int64_t{o.groups})});
    return o.add ? emit_.node("Add", name, {x, input(1)}) : x;
  });
}

std::string GraphExporter::operator()(const op::TransposedConv& o) {
  return activated(o.activation, [&](const std::string& name) {
    std::vector<std::string> inputs{input(0), parameter(0)};
    if (o.bias) inputs.push_back(parameter(1));
    return emit_.node(
        "ConvTranspose", name, std::move(inputs),
        {attribute("kernel_shape", both(o.kernel)), attribute("strides", both(o.stride)),
         attribute("pads", begins_and_ends(o.padding)),
         attribute("output_padding", both(o.output_padding)),
         attribute("group", std::int64_t{o.groups})});
  });
}

std::string GraphExporter::operator()(const op::BatchNorm& o) {
  return activated(o.activation, [&](const std::string& name) {
    return emit_.node("BatchNormalization", name,
                      {input(0), parameter(0), parameter(1), parameter(2), parameter(3)},
                      {attribute("epsilon", o.epsilon), attribute("momentum", 1 - o.momentum)});
  });
}

/// As PyTorch writes it: every group a plane of its own, then scale and shift for each channel.
/// GroupNormalization itself has them only from opset 21 on.
std::string GraphExporter::operator()(const op::GroupNorm& o) {
  const std::int64_t c = node().channels, groups = o.groups;
  const OnnxAttribute epsilon = attribute("epsilon", o.epsilon);
  if (groups == c) {
    return emit_.node("InstanceNormalization", result(), {input(0), parameter(0), parameter(1)},
                      {epsilon});
  }
  const auto n = static_cast<std::size_t>(groups);
  const std::string planes =
      emit_.node("Reshape", step("groups"), {input(0), emit_.wholes({0, groups, -1})});
  const std::string normed = emit_.node("InstanceNormalization", step("normed_groups"),
                                        {planes, emit_.reals(std::vector<float>(n, 1), {groups}),
                                         emit_.reals(std::vector<float>(n, 0), {groups})},
                                        {epsilon});
  const std::string shape =
      emit_.array({extent(input_id(0), 0), c, extent(input_id(0), 2), extent(input_id(0), 3)});
  const std::string back = emit_.node("Reshape", step("normed"), {normed, shape});
  const std::string scaled = emit_.node("Mul", step("scaled"), {back, parameter(0, {c, 1, 1})});
  return emit_.node("Add", result(), {scaled, parameter(1, {c, 1, 1})});
}

std::string GraphExporter::operator()(const op::Activate& o) {
  return activation_node(o.activation, input(0), result());
}

/// ONNX rounds sizes up without our rule (Caffe's and PyTorch's) that the last window must begin
/// inside of the picture: where that could matter, the two differ.
void GraphExporter::require_windows_inside(Size2 kernel, Size2 stride,
                                           const Padding& padding) const {
  if (padding.bottom + stride.h - 1 >= kernel.h || padding.right + stride.w - 1 >= kernel.w) {
    throw Error(
        "rounds its size up where a window could lie in the padding alone; ONNX's pooling "
        "has another rule there");
  }
}

std::string GraphExporter::operator()(const op::MaxPool& o) {
  if (o.ceil) require_windows_inside(o.kernel, o.stride, o.padding);
  return emit_.node(
      "MaxPool", result(), {input(0)},
      {attribute("kernel_shape", both(o.kernel)), attribute("strides", both(o.stride)),
       attribute("pads", begins_and_ends(o.padding)),
       attribute("ceil_mode", std::int64_t{o.ceil})});
}

std::string GraphExporter::operator()(const op::AveragePool& o) {
  std::string x = input(0);
  Padding padding = o.padding;
  if (o.count_padding && padding != Padding(0) && (o.ceil || o_.size)) {
    // With sizes rounded up, readers differ in what counts; OpenCV 4.6 does not count padding.
    const Padding& p = padding;
    x = emit_.node("Pad", step("padded"),
                   {x, emit_.wholes({0, 0, p.top, p.left, 0, 0, p.bottom, p.right})});
    padding = 0;
  }
  if (o.ceil) require_windows_inside(o.kernel, o.stride, padding);
  const bool counts = o.count_padding && padding != Padding(0);
  return emit_.node(
      "AveragePool", result(), {x},
      {attribute("kernel_shape", both(o.kernel)), attribute("strides", both(o.stride)),
       attribute("pads", begins_and_ends(padding)), attribute("ceil_mode", std::int64_t{o.ceil}),
       attribute("count_include_pad", std::int64_t{counts})});
}

std::string GraphExporter::operator()(const op::GlobalAveragePool&) {
  return emit_.node("GlobalAveragePool", result(), {input(0)});
}

std::string GraphExporter::operator()(const op::Concat&) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(input(i));
  return emit_.node("Concat", result(), std::move(inputs), {attribute("axis", std::int64_t{1})});
}

std::string GraphExporter::operator()(const op::Add& o) {
  return activated(o.activation, [&](const std::string& name) {
    return emit_.node("Add", name, {input(0), input(1)});
  });
}

/// The factor first: of x * hard_sigmoid(y) in this order OpenCV 4.6 makes a hard swish of x.
std::string GraphExporter::operator()(const op::Multiply&) {
  return emit_.node("Mul", result(), {input(1), input(0)});
}

std::string GraphExporter::operator()(const op::Maximum&) {
  return emit_.node("Max", result(), {input(0), input(1)});
}

/// Nothing at inference.
std::string GraphExporter::operator()(const op::Dropout&) {
  return emit_.node("Identity", result(), {input(0)});
}

std::string GraphExporter::operator()(const op::Softmax&) {
  if (o_.opset >= 13) {
    return emit_.node("Softmax", result(), {input(0)}, {attribute("axis", std::int64_t{1})});
  }
  // Before, the axis was the first of those taken for one: channels must come last.
  const std::string last = emit_.node("Transpose", step("channels_last"), {input(0)},
                                      {attribute("perm", std::vector<std::int64_t>{0, 2, 3, 1})});
  const std::string soft =
      emit_.node("Softmax", step("softmax"), {last}, {attribute("axis", std::int64_t{3})});
  return emit_.node("Transpose", result(), {soft},
                    {attribute("perm", std::vector<std::int64_t>{0, 3, 1, 2})});
}

// --- sizes ---

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
  return emit_.node("Pad", result(), {input(0), all}, {attribute("mode", "constant")});
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

}  // namespace

OnnxModel onnx_of(const Graph& graph, const ParameterStore& parameters,
                  const Preprocess& preprocess, const OnnxExportOptions& options) {
  if (options.opset < kLowestOnnxOpset || options.opset > kHighestOnnxOpset) {
    throw Error("operator set " + std::to_string(options.opset) + " is not written; " +
                std::to_string(kLowestOnnxOpset) + " to " + std::to_string(kHighestOnnxOpset) +
                " are");
  }
  require_parameters(graph, parameters);
  return GraphExporter(graph, parameters, preprocess, options).exported();
}

Preprocess exported_preprocess(const Preprocess& preprocess, const OnnxExportOptions& options) {
  if (!options.preprocess) return preprocess;
  const auto c = preprocess.mean.size();
  return {.mean = std::vector(c, 0.0f), .std = std::vector(c, 1 / kByteRange)};
}

std::vector<std::filesystem::path> export_onnx(const std::filesystem::path& path,
                                               const Model& model,
                                               const OnnxExportOptions& options) {
  try {
    Graph graph = model.graph;
    if (!options.all_outputs || options.argmax) {
      const std::string logits = "logits";
      graph = keep_outputs(graph, {&logits, 1});
    }
    graph = drop_dropout(graph);
    std::optional<GraphWithParameters> folded;
    if (options.fold_batch_norm) folded = fold_batch_norm(graph, model.parameters);
    OnnxModel onnx =
        onnx_of(folded ? folded->graph : graph, folded ? folded->parameters : model.parameters,
                model.preprocess, options);
    add_metadata(model, exported_preprocess(model.preprocess, options), onnx);
    return write_onnx(path, onnx);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(path.string())) throw;
    throw Error::in_file(path.string(), "cannot export: " + what);
  }
}

}  // namespace segmentum
