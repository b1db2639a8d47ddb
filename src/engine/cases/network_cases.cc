#include <string>
#include <utility>

#include "engine/cases/case_lists.h"

namespace segmentum {
namespace {

/// 3x3 convolution, batch norm, relu.
ValueId block(GraphBuilder& g, const std::string& name, ValueId x, int channels) {
  const ValueId conv =
      g.conv(name + ".conv", x, {.channels = channels, .kernel = 3, .padding = 1, .bias = false});
  return g.relu(name + ".relu", g.batch_norm(name + ".norm", conv));
}

/// Two levels, with the sizes made to fit at the border by padding and cropping.
Graph small_unet(bool transpose, int width) {
  GraphBuilder g("small_unet");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId padded = g.pad("fit", image, {.mode = PadMode::mirror, .multiple = 4});
  const ValueId down1 = block(g, "down1", padded, width);
  const ValueId down2 = block(g, "down2", g.max_pool("pool1", down1), 2 * width);
  ValueId x = block(g, "bottom", g.max_pool("pool2", down2), 4 * width);
  x = g.dropout("drop", x, {.rate = 0.25f});
  const auto up = [&](const std::string& name, ValueId from, int channels) {
    if (transpose) return g.transposed_conv(name, from, {.channels = channels});
    return g.resize(name, from, {.scale = 2});
  };
  x = block(g, "merge2", g.concat("skip2", {down2, up("up2", x, 2 * width)}), 2 * width);
  x = block(g, "merge1", g.concat("skip1", {down1, up("up1", x, width)}), width);
  const ValueId head = g.conv("head", x, {.channels = 5});
  const ValueId logits = g.crop_like("logits", head, image);
  g.output("logits", logits);
  g.output("probabilities", g.softmax("softmax", logits));
  return std::move(g).build();
}

/// Scores at three strides, summed and upsampled with learnt bilinear kernels, as in FCN-8s.
Graph small_fcn() {
  GraphBuilder g("small_fcn");
  const ValueId image = g.input("image", {.channels = 3});
  const auto stage = [&](const std::string& name, ValueId x, int channels) {
    const ValueId conv = g.conv(name, x, {.channels = channels, .kernel = 3, .padding = 1});
    return g.max_pool(name + ".pool", g.relu(name + ".relu", conv), {.ceil = true});
  };
  const ValueId pool1 = stage("conv1", g.pad("margin", image, {.margin = 6}), 6);
  const ValueId pool2 = stage("conv2", pool1, 10);
  const ValueId pool3 = stage("conv3", pool2, 12);
  const ValueId score3 = g.conv("score3", pool3, {.channels = 4});
  const ValueId up3 = g.transposed_conv(
      "up3", score3, {.channels = 4, .kernel = 4, .bias = false, .init = Init::bilinear});
  const ValueId score2 = g.conv("score2", pool2, {.channels = 4});
  const ValueId sum = g.add("sum", score2, g.crop_like("up3c", up3, score2, {.offset = 1}));
  const ValueId up = g.transposed_conv(
      "up", sum, {.channels = 4, .kernel = 8, .stride = 4, .bias = false, .init = Init::bilinear});
  g.output("logits", g.crop_like("logits", up, image, {.offset = 8}));
  return std::move(g).build();
}

/// Bottleneck with a shortcut, squeeze-and-excite, an inverted residual, and an image-level branch.
Graph small_residual() {
  GraphBuilder g("small_residual");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId stem =
      g.conv("stem", image, {.channels = 12, .kernel = 3, .stride = 2, .padding = 1});
  ValueId x = g.relu("stem.relu", g.batch_norm("stem.norm", stem));
  const ValueId a = block(g, "residual", x, 12);
  x = g.relu("sum.relu", g.add("sum", x, g.batch_norm("shortcut.norm", a)));
  const ValueId wide =
      g.activate("expand.act", g.conv("expand", x, {.channels = 20}), ActivationKind::hard_swish);
  const ValueId deep =
      g.activate("depth.act",
                 g.conv("depth", wide,
                        {.channels = 20, .kernel = 3, .dilation = 2, .padding = 2, .groups = 20}),
                 ActivationKind::relu6);
  const ValueId squeeze = g.conv("squeeze", g.global_average_pool("gap", deep), {.channels = 20});
  const ValueId gate = g.activate("gate", squeeze, ActivationKind::hard_sigmoid);
  x = g.add("sum2", x, g.conv("project", g.multiply("scaled", deep, gate), {.channels = 12}));
  const ValueId context = g.resize_like("context.up", g.global_average_pool("context", x), x);
  x = g.concat("aspp",
               {x, context, g.average_pool("smooth", x, {.kernel = 3, .stride = 1, .padding = 1})});
  const ValueId head = g.group_norm("head.norm", g.conv("head", x, {.channels = 6}), {.groups = 2});
  g.output("logits", g.resize_like("logits", head, image));
  g.output("aux", g.conv("aux", deep, {.channels = 3}));
  return std::move(g).build();
}

/// Convolutions that run together: expanded, filtered and projected with a shortcut; at stride 2,
/// where the expansion is read twice; and a dilated separable one.
Graph inverted_residuals() {
  GraphBuilder g("inverted_residuals");
  const auto clipped = [&](const std::string& name, ValueId x, const op::Conv& conv) {
    return g.activate(name + ".act", g.conv(name, x, conv), ActivationKind::relu6);
  };
  const auto depthwise = [&](const std::string& name, ValueId x, int stride, int dilation) {
    return clipped(name, x,
                   {.channels = g.channels(x),
                    .kernel = 3,
                    .stride = stride,
                    .dilation = dilation,
                    .padding = dilation,
                    .groups = g.channels(x)});
  };
  const ValueId image = g.input("image", {.channels = 3});
  ValueId x = clipped("stem", image, {.channels = 10, .kernel = 3, .stride = 2, .padding = 1});
  const ValueId filtered =
      depthwise("first.depthwise", clipped("first.expand", x, {.channels = 37}), 1, 1);
  x = g.add("first.add", x, g.conv("first.project", filtered, {.channels = 10}));
  const ValueId wide = clipped("second.expand", x, {.channels = 40});
  x = g.conv("second.project", depthwise("second.depthwise", wide, 2, 1), {.channels = 18});
  x = g.relu("third.relu",
             g.conv("third.pointwise", depthwise("third.depthwise", x, 1, 2), {.channels = 22}));
  g.output("aux", g.conv("aux", wide, {.channels = 2}));
  g.output("logits", g.resize_like("logits", g.conv("head", x, {.channels = 4}), image));
  return std::move(g).build();
}

/// One value read by many nodes, also as an output: gradients add up.
Graph shared_value() {
  GraphBuilder g("shared_value");
  const ValueId x = g.conv("conv", g.input("image", {.channels = 3}), {.channels = 5});
  const ValueId relu = g.relu("relu", x);
  const ValueId pooled = g.max_pool("pool", x, {.kernel = 3, .stride = 1, .padding = 1});
  const ValueId sum = g.add("sum", relu, pooled);
  g.output("middle", x);
  g.output("again", x);
  g.output("result", g.multiply("product", g.add("twice", sum, x), relu));
  return std::move(g).build();
}

/// What rewrites make: activations and a sum fused into their producers.
Graph fused_by_hand() {
  GraphBuilder g("fused");
  const ValueId image = g.input("image", {.channels = 5});
  const ValueId first = g.batch_norm("norm", image, {.activation = ActivationKind::relu});
  const ValueId conv =
      g.conv("conv", first,
             {.channels = 5, .kernel = 3, .padding = 1, .activation = ActivationKind::relu});
  const ValueId sum = g.add("sum", conv, image);
  g.output("result", sum);
  Graph graph = std::move(g).build();
  auto& fused = graph.nodes[static_cast<std::size_t>(conv)];
  std::get<op::Conv>(fused.op).add = true;
  fused.inputs.push_back(image);
  std::get<op::Add>(graph.nodes[static_cast<std::size_t>(sum)].op).activation = {
      ActivationKind::leaky_relu, 0.1f};
  validate(graph);
  return graph;
}

/// One network on a picture at two scales, fused by the larger score: parameters are shared, so
/// their gradients add up and running statistics move twice.
Graph two_scales() {
  GraphBuilder g("two_scales");
  const ValueId image = g.input("image", {.channels = 3});
  ValueId x = block(g, "first", image, 6);
  x = g.add("residual", x, block(g, "second", x, 6));
  const ValueId scores = g.conv("score", x, {.channels = 4});
  const ValueId small = g.resize("image_x05", image, {.scale = 1, .divisor = 2});
  const ValueId again = g.repeat("_x05", image, scores, small);
  g.output("logits", g.maximum("fused", scores, g.resize_like("score_up", again, scores)));
  return std::move(g).build();
}

/// Convolutions in concatenations, read before and after these as well; whole blocks and none.
Graph concat_of_convolutions(int channels) {
  GraphBuilder g("concat_of_convolutions");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId a =
      g.relu("a.relu", g.conv("a", image, {.channels = channels, .kernel = 3, .padding = 1}));
  const ValueId before = g.max_pool("before", a, {.kernel = 3, .stride = 1, .padding = 1});
  const ValueId b = g.conv("b", image, {.channels = channels});
  const ValueId both = g.concat("both", {a, b, before});
  const ValueId after = g.add("after", b, before);
  g.output("result", g.conv("head", g.concat("all", {both, after}), {.channels = 5}));
  return std::move(g).build();
}

/// Resized values that are two outputs at once, or an output and somebody's input.
Graph resized_outputs(bool read_again) {
  GraphBuilder g("resized_outputs");
  const ValueId x = g.conv("conv", g.input("image", {.channels = 3}), {.channels = 5});
  const ValueId large = g.resize("large", x, {.scale = 4});
  g.output("logits", large);
  g.output("again", large);
  if (read_again) g.output("read", g.relu("after", large));
  return std::move(g).build();
}

/// One value through two depthwise convolutions: its gradients add up, and the second takes over
/// the sum.
Graph depthwise_pair() {
  GraphBuilder g("depthwise_pair");
  const ValueId image = g.input("image", {.channels = 20});
  const op::Conv options{.channels = 20, .kernel = 3, .padding = 1, .groups = 20};
  const ValueId first = g.conv("first", image, options);
  const ValueId second = g.conv("second", image, options);
  const ValueId sum = g.add("sum", first, second);
  g.output("result", g.concat("both", {g.conv("third", sum, options), second}));
  Graph graph = std::move(g).build();
  auto& fused = graph.nodes[static_cast<std::size_t>(sum) + 1];
  std::get<op::Conv>(fused.op).add = true;
  std::get<op::Conv>(fused.op).activation = ActivationKind::relu;
  fused.inputs.push_back(first);
  validate(graph);
  return graph;
}

/// A block of ConvNeXt, its residual read twice, and a layer norm in a slice of a concatenation.
Graph small_convnext(int channels) {
  GraphBuilder g("small_convnext");
  const ValueId image = g.input("image", {.channels = 3});
  ValueId x = g.conv("stem", image, {.channels = channels, .kernel = 2, .stride = 2});
  x = g.layer_norm("stem.norm", x, {.epsilon = 1e-6f});
  const ValueId far =
      g.conv("depth", x, {.channels = channels, .kernel = 7, .padding = 3, .groups = channels});
  const ValueId wide = g.conv("expand", g.layer_norm("norm", far), {.channels = 4 * channels});
  const ValueId narrow =
      g.conv("project", g.activate("gelu", wide, ActivationKind::gelu), {.channels = channels});
  x = g.add("sum", x, narrow);
  const ValueId both = g.concat("both", {g.layer_norm("last", x), x});
  g.output("logits", g.resize("up", g.conv("head", both, {.channels = 5}), {.scale = 2}));
  return std::move(g).build();
}

}  // namespace

void add_networks(EngineCases& cases) {
  cases.push_back({"unet_transpose", small_unet(true, 8), {{2, 3, 16, 20}}});
  cases.push_back({"unet_transpose_odd", small_unet(true, 6), {{1, 3, 13, 11}}});
  cases.push_back({"unet_bilinear_odd", small_unet(false, 5), {{3, 3, 9, 15}}});
  cases.push_back({"unet_of_2x3", small_unet(true, 8), {{2, 3, 2, 3}}});
  cases.push_back({"fcn", small_fcn(), {{2, 3, 17, 22}}});
  cases.push_back({"fcn_of_1x1", small_fcn(), {{1, 3, 1, 1}}});
  cases.push_back({"residual", small_residual(), {{2, 3, 17, 14}}});
  cases.push_back({"inverted_residuals", inverted_residuals(), {{2, 3, 37, 30}}});
  cases.push_back({"inverted_residuals_of_2x3", inverted_residuals(), {{1, 3, 2, 3}}});
  cases.push_back({"shared_value", shared_value(), {{2, 3, 5, 6}}});
  cases.push_back({"concat_of_convolutions", concat_of_convolutions(16), {{1, 3, 6, 7}}});
  cases.push_back({"concat_of_convolutions_batch2", concat_of_convolutions(16), {{2, 3, 6, 7}}});
  cases.push_back({"concat_of_convolutions_odd", concat_of_convolutions(10), {{2, 3, 6, 7}}});
  cases.push_back({"two_scales", two_scales(), {{2, 3, 9, 10}}});
  cases.push_back({"resized_outputs", resized_outputs(false), {{2, 3, 4, 5}}});
  cases.push_back({"resized_outputs_read_again", resized_outputs(true), {{2, 3, 4, 5}}});
  cases.push_back({"depthwise_pair", depthwise_pair(), {{2, 20, 6, 7}}});
  cases.push_back({"convnext", small_convnext(8), {{2, 3, 10, 14}}});
  cases.push_back({"convnext_odd", small_convnext(6), {{1, 3, 9, 11}}});
  cases.push_back({"fused_add_and_activations", fused_by_hand(), {{2, 5, 7, 6}}});
}

}  // namespace segmentum
