// Inputs, outputs and layers; what concerns sizes is in graph_exporter_sizes.cc.
#include "interop/onnx/graph_exporter.h"

#include <algorithm>
#include <numbers>
#include <utility>

#include "base/version.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

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

}  // namespace

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
    case ActivationKind::gelu:
      return gelu_node(x, name);
    case ActivationKind::none:
      break;
  }
  return emit_.node("Identity", name, {x});
}

/// x * (1 + erf(x / sqrt(2))) / 2, in PyTorch's words before Gelu was one.
std::string GraphExporter::gelu_node(const std::string& x, const std::string& name) {
  if (o_.opset >= 20) return emit_.node("Gelu", name, {x});
  const auto number = [&](float value) { return emit_.reals({value}, {}); };
  const std::string deviations =
      emit_.node("Div", step("deviations"), {x, number(std::numbers::sqrt2_v<float>)});
  const std::string erf = emit_.node("Erf", step("erf"), {deviations});
  const std::string twice_below = emit_.node("Add", step("twice_below"), {erf, number(1)});
  const std::string twice = emit_.node("Mul", step("twice"), {x, twice_below});
  return emit_.node("Mul", name, {twice, number(0.5f)});
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
    scale.push_back(1 / (kByteSamples * preprocess_.std[c]));
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

/// As one operator on [N,H,W,C] where there is one, else as PyTorch writes it, along axis 1.
/// (OpenCV 4.6 reads neither.)
std::string GraphExporter::operator()(const op::LayerNorm& o) {
  const auto order = [](std::vector<std::int64_t> axes) {
    return attribute("perm", std::move(axes));
  };
  if (o_.opset >= 17) {
    const std::string last =
        emit_.node("Transpose", step("channels_last"), {input(0)}, {order({0, 2, 3, 1})});
    const std::string normed =
        emit_.node("LayerNormalization", step("normed"), {last, parameter(0), parameter(1)},
                   {attribute("axis", std::int64_t{-1}), attribute("epsilon", o.epsilon)});
    return emit_.node("Transpose", result(), {normed}, {order({0, 3, 1, 2})});
  }
  const auto mean = [&](const char* name, const std::string& of) {
    return emit_.node("ReduceMean", step(name), {of},
                      {attribute("axes", std::vector<std::int64_t>{1})});
  };
  const std::int64_t c = node().channels;
  const std::string centred =
      emit_.node("Sub", step("centred"), {input(0), mean("mean", input(0))});
  const std::string squared = emit_.node("Pow", step("squared"), {centred, emit_.reals({2}, {})});
  const std::string above = emit_.node("Add", step("variance_above_0"),
                                       {mean("variance", squared), emit_.reals({o.epsilon}, {})});
  const std::string deviation = emit_.node("Sqrt", step("deviation"), {above});
  const std::string normed = emit_.node("Div", step("normed"), {centred, deviation});
  const std::string scaled = emit_.node("Mul", step("scaled"), {normed, parameter(0, {c, 1, 1})});
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

std::string GraphExporter::operator()(const op::MeanField&) {
  throw Error(
      "joins every pixel to every other one, which ONNX has no operator for; train with crf=none");
}

}  // namespace segmentum
