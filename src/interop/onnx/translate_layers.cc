// Operators with weights, and pooling.
#include <algorithm>

#include "base/counted.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/translation.h"

namespace segmentum {
namespace {

constexpr std::size_t kPlaneAxes = 2;

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text.empty() ? "one number" : text;
}

/// A setting of both axes of a picture: the attribute, or `otherwise` where it is absent.
Size2 both_axes(const Step& s, std::string_view attribute, Size2 otherwise) {
  const auto numbers = wholes_of(s.node, attribute);
  if (numbers.empty()) return otherwise;
  if (numbers.size() != kPlaneAxes) {
    s.refuse("has " + std::string(attribute) + " for " + std::to_string(numbers.size()) +
             " axes; expected those of a picture");
  }
  return {setting(numbers[0]), setting(numbers[1])};
}

/// What auto_pad=SAME_* adds along one axis: so much that the size is divided by the stride,
/// rounded up. That depends on the size, unless it is the same at every probe.
std::pair<int, int> same_padding(const Step& s, ValueId x, bool rows, int reach, int stride,
                                 bool upper) {
  std::optional<int> total;
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const Shape& shape = s.t.shape(x, probe);
    const std::int64_t size = rows ? shape.h() : shape.w();
    const std::int64_t out = (size + stride - 1) / stride;
    const auto needed =
        static_cast<int>(std::max<std::int64_t>((out - 1) * stride + reach - size, 0));
    if (total && *total != needed) {
      throw Error("pads (auto_pad) by " + std::to_string(*total) + " or " + std::to_string(needed) +
                  ", as the picture's size has it");
    }
    total = needed;
  }
  const int less = *total / 2, more = *total - less;
  return upper ? std::pair(less, more) : std::pair(more, less);
}

/// ONNX gives the beginnings of all axes, then the ends.
Padding padding_of(const Step& s, ValueId x, Size2 kernel, Size2 stride, Size2 dilation) {
  const std::string rule = text_of(s.node, "auto_pad", "NOTSET");
  if (rule == "VALID") return 0;
  if (rule == "SAME_UPPER" || rule == "SAME_LOWER") {
    const bool upper = rule == "SAME_UPPER";
    const auto [top, bottom] =
        same_padding(s, x, true, dilation.h * (kernel.h - 1) + 1, stride.h, upper);
    const auto [left, right] =
        same_padding(s, x, false, dilation.w * (kernel.w - 1) + 1, stride.w, upper);
    return {top, left, bottom, right};
  }
  const auto pads = wholes_of(s.node, "pads");
  if (pads.empty()) return 0;
  if (pads.size() != 2 * kPlaneAxes || std::ranges::min(pads) < 0) {
    s.refuse("has pads " + shape_text(pads) + "; expected four from 0 up");
  }
  return {setting(pads[0]), setting(pads[1]), setting(pads[2]), setting(pads[3])};
}

/// Weights [a,b,kh,kw].
std::vector<std::int64_t> kernel_dims(const Step& s) {
  auto dims = s.dims(1);
  if (dims.size() != 2 + kPlaneAxes) {
    s.refuse("has weights of " + shape_text(dims) + "; expected four axes, as of a picture");
  }
  return dims;
}

std::vector<Weight> weights_from(const Step& s, std::initializer_list<std::size_t> inputs) {
  std::vector<Weight> weights;
  for (const std::size_t i : inputs) {
    if (s.has(i)) weights.push_back(s.weight(i));
  }
  return weights;
}

bool is_all(const std::vector<float>& numbers, float number) {
  return std::ranges::all_of(numbers, [&](float other) { return other == number; });
}

/// The sum over each class's places of a grid.
void sum_over_grid(Step& s, const Seen& x, const std::vector<std::int64_t>& dims) {
  const std::int64_t places = std::int64_t{x.grid} * x.grid;
  const std::int64_t classes = s.t.channels(x.id) / places;
  if (dims != std::vector<std::int64_t>{classes, places, 1, 1} || s.has(2) ||
      whole_of(s.node, "group", 1) != classes || !is_all(s.reals(1), 1)) {
    s.refuse("reads scores by location; only a sum over each class's may");
  }
  s.result(Seen{.id = s.t.add(s.name(), op::LocationGrid{x.grid}, {x.id})});
}

void conv(Step& s) {
  const auto dims = kernel_dims(s);
  if (const Seen& x = s.seen(0); x.grid > 0) return sum_over_grid(s, x, dims);
  const ValueId x = s.planes(0);
  op::Conv o{.channels = setting(dims[0]),
             .kernel = {setting(dims[2]), setting(dims[3])},
             .stride = both_axes(s, "strides", 1),
             .dilation = both_axes(s, "dilations", 1),
             .groups = setting(whole_of(s.node, "group", 1)),
             .bias = s.has(2)};
  o.padding = padding_of(s, x, o.kernel, o.stride, o.dilation);
  if (o.groups < 1 || dims[1] * o.groups != s.t.channels(x)) {
    s.refuse("has weights of " + shape_text(dims) + " in " + counted(o.groups, "group") + " for " +
             counted(s.t.channels(x), "channel"));
  }
  s.result(Seen{.id = s.t.add(s.name_by_weight(1), o, {x}, weights_from(s, {1, 2}))});
}

void conv_transpose(Step& s) {
  const auto dims = kernel_dims(s);
  const ValueId x = s.planes(0);
  if (both_axes(s, "dilations", 1) != Size2(1)) s.refuse("is dilated");
  if (s.node.find("output_shape") != nullptr) s.refuse("states its result's size");
  if (text_of(s.node, "auto_pad", "NOTSET") != "NOTSET") s.refuse("pads by a rule (auto_pad)");
  op::TransposedConv o{.kernel = {setting(dims[2]), setting(dims[3])},
                       .stride = both_axes(s, "strides", 1),
                       .output_padding = both_axes(s, "output_padding", 0),
                       .groups = setting(whole_of(s.node, "group", 1)),
                       .bias = s.has(2)};
  o.padding = padding_of(s, x, o.kernel, o.stride, 1);
  if (o.groups < 1 || dims[0] != s.t.channels(x)) {
    s.refuse("has weights of " + shape_text(dims) + " for " + counted(s.t.channels(x), "channel"));
  }
  o.channels = setting(dims[1] * o.groups);
  s.result(Seen{.id = s.t.add(s.name_by_weight(1), o, {x}, weights_from(s, {1, 2}))});
}

/// y = x W + b on the channels of every pixel: a 1x1 convolution.
void dense(Step& s, bool weight_is_out_in, bool has_bias) {
  const auto dims = s.dims(1);
  Seen x = s.plain(0);
  if (dims.size() != 2) s.refuse("has weights of " + shape_text(dims) + "; expected two axes");
  if (x.view == View::planes) s.refuse("multiplies rows of pixels, not channels");
  const std::int64_t in = dims[weight_is_out_in ? 1 : 0], out = dims[weight_is_out_in ? 0 : 1];
  if (in != s.t.channels(x.id)) {
    s.refuse("has weights of " + shape_text(dims) + " for " +
             counted(s.t.channels(x.id), "channel"));
  }
  const op::Conv o{.channels = setting(out), .bias = has_bias};
  std::vector<Weight> weights{weight_is_out_in ? s.weight(1) : s.transposed_weight(1)};
  if (has_bias) weights.push_back(s.weight(2));
  s.result_like(x, s.t.add(s.name_by_weight(1), o, {x.id}, std::move(weights)));
}

void gemm(Step& s) {
  if (real_of(s.node, "alpha", 1) != 1 || real_of(s.node, "beta", 1) != 1 ||
      whole_of(s.node, "transA", 0) != 0) {
    s.refuse("scales or transposes what it multiplies");
  }
  dense(s, whole_of(s.node, "transB", 0) != 0, s.has(2));
}

void mat_mul(Step& s) {
  if (!s.is_known(1)) {
    s.refuse(s.is_known(0) ? "has its constant on the left; only one on the right is read"
                           : "multiplies two values of the network, as attention does");
  }
  dense(s, false, false);
}

void batch_normalization(Step& s) {
  const Seen x = s.plain(0);
  const op::BatchNorm o{.epsilon = real_of(s.node, "epsilon", 1e-5f)};
  s.result_like(x, s.t.add(s.name_by_weight(1), o, {x.id}, weights_from(s, {1, 2, 3, 4})));
}

/// Over the plane of each channel: a group norm of as many groups as channels. PyTorch writes a
/// group norm as one of these on [N,groups,-1].
void instance_normalization(Step& s) {
  const float epsilon = real_of(s.node, "epsilon", 1e-5f);
  Seen x = s.seen(0);
  if (x.view == View::groups) {
    if (!is_all(s.reals(1), 1) || !is_all(s.reals(2), 0)) {
      s.refuse("scales groups of channels, not channels");
    }
    x.epsilon = epsilon;
    s.result(x);
    return;
  }
  const ValueId in = s.planes(0);
  const op::GroupNorm o{.groups = s.t.channels(in), .epsilon = epsilon};
  s.result(Seen{.id = s.t.add(s.name_by_weight(1), o, {in}, weights_from(s, {1, 2}))});
}

/// Of opset 21: one scale for each channel. (Opset 18's has one for each group.)
void group_normalization(Step& s) {
  const ValueId x = s.planes(0);
  const op::GroupNorm o{.groups = setting(whole_of(s.node, "num_groups", 1)),
                        .epsilon = real_of(s.node, "epsilon", 1e-5f)};
  if (o.groups < 1 || s.weight(1).count != s.t.channels(x)) {
    s.refuse("has one scale for each group, not for each channel");
  }
  s.result(Seen{.id = s.t.add(s.name_by_weight(1), o, {x}, weights_from(s, {1, 2}))});
}

// --- pooling ---

struct Windows {
  Size2 kernel = 1;
  Size2 stride = 1;
  Padding padding = 0;
  bool ceil = false;
};

Windows windows_of(const Step& s, ValueId x) {
  if (both_axes(s, "dilations", 1) != Size2(1)) s.refuse("is dilated");
  if (s.node.find("kernel_shape") == nullptr) s.refuse("lacks kernel_shape");
  Windows windows{.kernel = both_axes(s, "kernel_shape", 1),
                  .stride = both_axes(s, "strides", 1),
                  .ceil = whole_of(s.node, "ceil_mode", 0) != 0};
  windows.padding = padding_of(s, x, windows.kernel, windows.stride, 1);
  return windows;
}

void max_pool(Step& s) {
  const ValueId x = s.planes(0);
  const Windows w = windows_of(s, x);
  const op::MaxPool o{.kernel = w.kernel, .stride = w.stride, .padding = w.padding, .ceil = w.ceil};
  s.result(Seen{.id = s.t.add(s.name(), o, {x})});
}

/// A window as large as the plane, whatever the picture, is the mean over the plane.
bool covers_plane(const Step& s, ValueId x, const Windows& windows) {
  const auto sizes = s.t.sizes(x);
  return windows.padding == Padding(0) && std::ranges::all_of(sizes, [&](const Size2& size) {
           return size == windows.kernel && size != Size2(1);
         });
}

void average_pool(Step& s) {
  const ValueId x = s.planes(0);
  const Windows w = windows_of(s, x);
  if (covers_plane(s, x, w)) {
    s.result(Seen{.id = s.t.add(s.name(), op::GlobalAveragePool{}, {x})});
    return;
  }
  const op::AveragePool o{.kernel = w.kernel,
                          .stride = w.stride,
                          .padding = w.padding,
                          .ceil = w.ceil,
                          .count_padding = whole_of(s.node, "count_include_pad", 0) != 0};
  s.result(Seen{.id = s.t.add(s.name(), o, {x})});
}

void global_average_pool(Step& s) {
  s.result(Seen{.id = s.t.add(s.name(), op::GlobalAveragePool{}, {s.planes(0)})});
}

/// The mean over rows and columns, or over the channels of each pixel.
void reduce_mean(Step& s) {
  if (continues_chain(s)) return;
  const Seen x = s.plain(0);
  std::vector<std::int64_t> axes = s.has(1) ? s.wholes(1, 0) : wholes_of(s.node, "axes");
  const std::size_t rank = s.t.dims(x, 0).size();
  std::set<std::size_t> over;
  for (const std::int64_t axis : axes) over.insert(axis_of(axis, rank));
  const bool last = x.view == View::channels_last;
  const std::set<std::size_t> plane =
      last ? std::set<std::size_t>{1, 2} : std::set<std::size_t>{2, 3};
  if (x.view == View::flat || over != plane) {
    s.refuse("takes means, but neither over rows and columns nor over channels that stay an axis");
  }
  const ValueId mean = s.t.add(s.name(), op::GlobalAveragePool{}, {x.id});
  const bool keeps = whole_of(s.node, "keepdims", 1) != 0;
  s.result(Seen{.id = mean, .view = keeps ? x.view : View::flat});
}

}  // namespace

const Translators& layer_translators() {
  static const Translators kAll{
      {"AveragePool", average_pool},
      {"BatchNormalization", batch_normalization},
      {"Conv", conv},
      {"ConvTranspose", conv_transpose},
      {"Gemm", gemm},
      {"GlobalAveragePool", global_average_pool},
      {"GroupNormalization", group_normalization},
      {"InstanceNormalization", instance_normalization},
      {"MatMul", mat_mul},
      {"MaxPool", max_pool},
      {"ReduceMean", reduce_mean},
  };
  return kAll;
}

}  // namespace segmentum
