#include "engine/engine_cases.h"

#include <algorithm>
#include <functional>
#include <ostream>

namespace segmentum {
namespace {

using Cases = std::vector<EngineCase>;

/// One operator on one input; `append` adds it and returns its value.
EngineCase single(const std::string& name, const Shape& input,
                  const std::function<ValueId(GraphBuilder&, ValueId)>& append) {
  GraphBuilder g(name);
  const ValueId x = g.input("image", {.channels = static_cast<int>(input.c())});
  g.output("result", append(g, x));
  return {name, std::move(g).build(), {input}};
}

/// One operator on two inputs.
EngineCase pair(const std::string& name, const Shape& first, const Shape& second,
                const std::function<ValueId(GraphBuilder&, ValueId, ValueId)>& append) {
  GraphBuilder g(name);
  const ValueId a = g.input("first", {.channels = static_cast<int>(first.c())});
  const ValueId b = g.input("second", {.channels = static_cast<int>(second.c())});
  g.output("result", append(g, a, b));
  return {name, std::move(g).build(), {first, second}};
}

EngineCase conv(const std::string& name, const Shape& input, const op::Conv& options) {
  return single("conv_" + name, input,
                [&](GraphBuilder& g, ValueId x) { return g.conv("conv", x, options); });
}

EngineCase transposed(const std::string& name, const Shape& input,
                      const op::TransposedConv& options) {
  return single("transposed_conv_" + name, input,
                [&](GraphBuilder& g, ValueId x) { return g.transposed_conv("up", x, options); });
}

struct NamedActivation {
  std::string name;
  Activation activation;
};

const std::vector<NamedActivation>& activations() {
  static const std::vector<NamedActivation> kAll{{"relu", ActivationKind::relu},
                                                 {"leaky_relu", {ActivationKind::leaky_relu, 0.2f}},
                                                 {"relu6", ActivationKind::relu6},
                                                 {"sigmoid", ActivationKind::sigmoid},
                                                 {"hard_sigmoid", ActivationKind::hard_sigmoid},
                                                 {"hard_swish", ActivationKind::hard_swish}};
  return kAll;
}

/// Depthwise convolutions where vectors, borders and strides meet: whole and broken blocks of
/// channels, kernels wider than the picture, dilations that leave one tap inside.
void add_depthwise_convolutions(Cases& cases) {
  const auto depthwise = [&](const std::string& name, const Shape& input, op::Conv options) {
    options.channels = options.groups = static_cast<int>(input.c());
    cases.push_back(conv("depthwise_" + name, input, options));
  };
  depthwise("3x3_rgb", {1, 3, 9, 11}, {.kernel = 3, .padding = 1});
  depthwise("3x3_8", {3, 8, 7, 21}, {.kernel = 3, .padding = 1, .bias = false});
  depthwise("3x3_20", {2, 20, 5, 18}, {.kernel = 3, .padding = 1});
  depthwise("3x3_stride2_24", {2, 24, 9, 13}, {.kernel = 3, .stride = 2, .padding = 1});
  depthwise("3x3_stride2_even", {1, 33, 8, 22}, {.kernel = 3, .stride = 2, .padding = 1});
  depthwise("5x5_33", {1, 33, 7, 12}, {.kernel = 5, .padding = 2});
  depthwise("5x5_dilation2", {1, 20, 9, 19}, {.kernel = 5, .dilation = 2, .padding = 4});
  depthwise("7x7_stride2", {1, 8, 13, 15}, {.kernel = 7, .stride = 2, .padding = 3});
  depthwise("7x7_beyond_the_picture", {2, 3, 2, 3}, {.kernel = 7, .padding = 3});
  depthwise("3x3_dilation2", {2, 24, 8, 9}, {.kernel = 3, .dilation = 2, .padding = 2});
  depthwise("3x3_dilation12", {1, 8, 17, 15}, {.kernel = 3, .dilation = 12, .padding = 12});
  depthwise("3x3_dilation36", {1, 20, 9, 7}, {.kernel = 3, .dilation = 36, .padding = 36});
  depthwise("dilation3_stride2", {1, 8, 13, 12},
            {.kernel = 3, .stride = 2, .dilation = 3, .padding = 3});
  depthwise("stride3", {1, 8, 11, 13}, {.kernel = 3, .stride = 3});
  depthwise("asymmetric", {1, 9, 8, 11},
            {.kernel = {3, 4}, .stride = {1, 2}, .padding = {2, 0, 1, 3}});
  depthwise("padding_wider_than_kernel", {1, 3, 4, 5}, {.kernel = 3, .padding = 5});
  depthwise("1x1_picture", {3, 20, 1, 1}, {.kernel = 5, .padding = 2});
  depthwise("fused_relu6", {2, 20, 7, 9},
            {.kernel = 3, .padding = 1, .activation = ActivationKind::relu6});
  depthwise("fused_hard_swish", {2, 20, 7, 9},
            {.kernel = 3, .padding = 1, .activation = ActivationKind::hard_swish});
  depthwise("fused_hard_sigmoid", {2, 20, 7, 9},
            {.kernel = 3, .padding = 1, .activation = ActivationKind::hard_sigmoid});
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

void add_convolutions(Cases& cases) {
  cases.push_back(conv("3x3_odd", {2, 5, 13, 11}, {.channels = 7, .kernel = 3, .padding = 1}));
  cases.push_back(conv("3x3_rgb", {1, 3, 17, 19}, {.channels = 16, .kernel = 3, .padding = 1}));
  cases.push_back(conv("3x3_wide", {1, 24, 9, 33}, {.channels = 40, .kernel = 3, .padding = 1}));
  cases.push_back(
      conv("no_bias", {3, 6, 8, 7}, {.channels = 9, .kernel = 3, .padding = 1, .bias = false}));
  cases.push_back(conv("valid", {1, 4, 9, 10}, {.channels = 5, .kernel = 3}));
  cases.push_back(conv("1x1", {2, 19, 7, 5}, {.channels = 11}));
  cases.push_back(conv("1x1_stride2", {2, 10, 9, 7}, {.channels = 12, .stride = 2}));
  cases.push_back(
      conv("stride2", {2, 5, 15, 12}, {.channels = 6, .kernel = 3, .stride = 2, .padding = 1}));
  cases.push_back(conv("7x7_stride2", {1, 3, 21, 23},
                       {.channels = 10, .kernel = 7, .stride = 2, .padding = 3}));
  cases.push_back(conv("stride_1x3", {1, 3, 8, 14},
                       {.channels = 4, .kernel = {3, 5}, .stride = {1, 3}, .padding = 2}));
  cases.push_back(
      conv("dilation2", {2, 7, 12, 13}, {.channels = 5, .kernel = 3, .dilation = 2, .padding = 2}));
  cases.push_back(conv("dilation3_stride2", {1, 5, 17, 16},
                       {.channels = 6, .kernel = 3, .stride = 2, .dilation = 3, .padding = 3}));
  cases.push_back(conv("dilation2_wide", {2, 24, 13, 18},
                       {.channels = 40, .kernel = 3, .dilation = 2, .padding = 2, .bias = false}));
  cases.push_back(conv("dilation4_wide", {1, 17, 19, 21},
                       {.channels = 16, .kernel = 3, .dilation = 4, .padding = 4}));
  cases.push_back(
      conv("dilation6_valid", {3, 16, 15, 14}, {.channels = 20, .kernel = 3, .dilation = 6}));
  cases.push_back(conv("dilation18", {3, 19, 23, 20},
                       {.channels = 33, .kernel = 3, .dilation = 18, .padding = 18}));
  cases.push_back(
      conv("dilation_1x6", {2, 9, 7, 16},
           {.channels = 12, .kernel = {1, 3}, .dilation = {1, 6}, .padding = {0, 6, 0, 6}}));
  cases.push_back(conv("5x5_dilation2", {1, 6, 12, 11},
                       {.channels = 18, .kernel = 5, .dilation = 2, .padding = 4}));
  cases.push_back(conv("5x5", {2, 17, 9, 12}, {.channels = 18, .kernel = 5, .padding = 2}));
  cases.push_back(conv("7x7_stride2_of_5", {1, 5, 17, 20},
                       {.channels = 16, .kernel = 7, .stride = 2, .padding = 3}));
  cases.push_back(conv("groups_of_8", {1, 32, 9, 11},
                       {.channels = 32, .kernel = 3, .padding = 1, .groups = 4}));
  cases.push_back(conv("groups_dilation2", {1, 16, 9, 11},
                       {.channels = 32, .kernel = 3, .dilation = 2, .padding = 2, .groups = 2}));
  cases.push_back(conv("dilation12_beyond_the_picture", {1, 6, 11, 9},
                       {.channels = 5, .kernel = 3, .dilation = 12, .padding = 12}));
  cases.push_back(conv("dilation_2x4", {1, 4, 13, 17},
                       {.channels = 5, .kernel = 3, .dilation = {2, 4}, .padding = {2, 4, 2, 4}}));
  cases.push_back(
      conv("groups", {2, 6, 9, 8}, {.channels = 9, .kernel = 3, .padding = 1, .groups = 3}));
  cases.push_back(
      conv("depthwise", {2, 13, 11, 9}, {.channels = 13, .kernel = 3, .padding = 1, .groups = 13}));
  cases.push_back(conv("depthwise_stride2", {1, 16, 12, 15},
                       {.channels = 16, .kernel = 5, .stride = 2, .padding = 2, .groups = 16}));
  cases.push_back(conv("depthwise_dilation4", {1, 12, 13, 10},
                       {.channels = 12, .kernel = 3, .dilation = 4, .padding = 4, .groups = 12}));
  cases.push_back(conv("depthwise_multiplied", {1, 5, 7, 9},
                       {.channels = 10, .kernel = 3, .padding = 1, .groups = 5}));
  cases.push_back(conv("asymmetric_padding", {2, 4, 8, 9},
                       {.channels = 5, .kernel = 3, .stride = 2, .padding = {0, 1, 2, 0}}));
  cases.push_back(
      conv("even_kernel", {1, 5, 9, 8}, {.channels = 6, .kernel = 2, .padding = {0, 0, 1, 1}}));
  cases.push_back(
      conv("padding_wider_than_kernel", {1, 3, 4, 5}, {.channels = 4, .kernel = 3, .padding = 5}));
  cases.push_back(conv("1x1_picture", {1, 5, 1, 1}, {.channels = 6, .kernel = 3, .padding = 1}));
  cases.push_back(conv("1x1_picture_batch3", {3, 3, 1, 1}, {.channels = 20}));
  cases.push_back(conv("one_row", {1, 3, 1, 14}, {.channels = 5, .kernel = 3, .padding = 1}));
  cases.push_back(conv("one_column", {2, 3, 14, 1}, {.channels = 5, .kernel = 3, .padding = 1}));
  cases.push_back(conv("one_channel", {2, 1, 10, 9}, {.channels = 1, .kernel = 3, .padding = 1}));
  for (const NamedActivation& named : activations()) {
    cases.push_back(
        conv("fused_" + named.name, {2, 5, 7, 9},
             {.channels = 6, .kernel = 3, .padding = 1, .activation = named.activation}));
    cases.push_back(conv(
        "dilated_fused_" + named.name, {2, 5, 7, 9},
        {.channels = 6, .kernel = 3, .dilation = 3, .padding = 3, .activation = named.activation}));
  }
}

/// A batch norm may take over the memory of the convolution before it, unless that is needed for an
/// activation's derivative; the slope of a leaky_relu below 0 is not to be told from its result.
void add_awkward_activations(Cases& cases) {
  const Activation turning{ActivationKind::leaky_relu, -0.5f};
  cases.push_back(conv("fused_turning_leaky_relu", {2, 5, 7, 9},
                       {.channels = 6, .kernel = 3, .padding = 1, .activation = turning}));
  cases.push_back(single("turning_leaky_relu", {2, 5, 7, 9}, [&](GraphBuilder& g, ValueId x) {
    return g.activate("activate", g.conv("conv", x, {.channels = 4}), turning);
  }));
  for (const int kernel : {2, 4}) {
    for (const Activation& activation : {Activation(ActivationKind::relu), turning}) {
      const std::string name = "transposed_conv_" + std::to_string(kernel) + "x" +
                               std::to_string(kernel) + "_" +
                               (activation == turning ? "turning" : "relu") + "_before_batch_norm";
      cases.push_back(single(name, {2, 6, 5, 4}, [&](GraphBuilder& g, ValueId x) {
        return g.batch_norm("norm", g.transposed_conv("up", x,
                                                      {.channels = 8,
                                                       .kernel = kernel,
                                                       .padding = kernel / 2 - 1,
                                                       .activation = activation}));
      }));
    }
  }
}

void add_transposed_convolutions(Cases& cases) {
  cases.push_back(transposed("2x2", {2, 10, 5, 7}, {.channels = 5}));
  cases.push_back(transposed("2x2_wide", {1, 32, 6, 5}, {.channels = 16}));
  cases.push_back(transposed("2x2_no_bias", {1, 6, 3, 4}, {.channels = 7, .bias = false}));
  cases.push_back(transposed("4x4_pad1", {2, 5, 6, 5}, {.channels = 5, .kernel = 4, .padding = 1}));
  cases.push_back(transposed("3x3_output_padding", {1, 4, 5, 6},
                             {.channels = 6, .kernel = 3, .padding = 1, .output_padding = 1}));
  cases.push_back(
      transposed("16x16_stride8", {1, 4, 3, 2},
                 {.channels = 4, .kernel = 16, .stride = 8, .padding = 4, .bias = false}));
  cases.push_back(
      transposed("stride1", {1, 3, 7, 6}, {.channels = 5, .kernel = 3, .stride = 1, .padding = 1}));
  cases.push_back(transposed("kernel_smaller_than_stride", {1, 3, 4, 5},
                             {.channels = 4, .kernel = 2, .stride = 3}));
  cases.push_back(
      transposed("groups", {2, 6, 5, 4}, {.channels = 9, .kernel = 4, .padding = 1, .groups = 3}));
  cases.push_back(transposed("per_channel", {1, 5, 4, 6},
                             {.channels = 5, .kernel = 4, .padding = 1, .groups = 5}));
  cases.push_back(transposed("asymmetric", {1, 4, 5, 6},
                             {.channels = 3,
                              .kernel = {3, 4},
                              .stride = {2, 3},
                              .padding = {1, 0, 0, 2},
                              .output_padding = {0, 1}}));
  cases.push_back(transposed("1x1_picture", {1, 7, 1, 1}, {.channels = 3}));
  cases.push_back(transposed("2x2_not_learnt", {2, 6, 5, 4}, {.channels = 5, .learnt = false}));
  cases.push_back(transposed("4x4_not_learnt", {2, 6, 5, 4},
                             {.channels = 5, .kernel = 4, .padding = 1, .learnt = false}));
  cases.push_back(
      transposed("fused_relu", {2, 6, 5, 4}, {.channels = 5, .activation = ActivationKind::relu}));
}

void add_normalisations(Cases& cases) {
  const auto batch_norm = [&](const std::string& name, const Shape& input, op::BatchNorm options) {
    cases.push_back(single("batch_norm_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.batch_norm("norm", x, options);
    }));
  };
  batch_norm("odd", {2, 5, 7, 9}, {});
  batch_norm("one_picture", {1, 19, 6, 5}, {.epsilon = 1e-3f, .momentum = 0.01f});
  batch_norm("batch3_of_1x1", {3, 4, 1, 1}, {});
  batch_norm("fused_relu", {3, 6, 5, 4}, {.activation = ActivationKind::relu});
  batch_norm("fused_relu6", {1, 9, 8, 7}, {.activation = ActivationKind::relu6});
  batch_norm("fused_leaky_relu", {1, 9, 8, 7}, {.activation = {ActivationKind::leaky_relu, 0.1f}});
  const auto group_norm = [&](const std::string& name, const Shape& input, int groups) {
    cases.push_back(single("group_norm_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.group_norm("norm", x, {.groups = groups});
    }));
  };
  group_norm("of_2", {2, 6, 7, 5}, 3);
  group_norm("layer", {2, 5, 6, 7}, 1);
  group_norm("instance", {1, 7, 5, 6}, 7);
  group_norm("of_8", {1, 24, 5, 3}, 3);
}

void add_pointwise(Cases& cases) {
  for (const NamedActivation& named : activations()) {
    cases.push_back(single(named.name, {2, 5, 7, 9}, [&](GraphBuilder& g, ValueId x) {
      return g.activate("activate", g.batch_norm("spread", x), named.activation);
    }));
    cases.push_back(
        single("conv_then_" + named.name, {2, 5, 7, 9}, [&](GraphBuilder& g, ValueId x) {
          return g.activate("activate", g.conv("conv", x, {.channels = 6}), named.activation);
        }));
    // Three times N(0,1), so that every piece of the hard activations is visited.
    cases.push_back(single(named.name + "_alone", {1, 3, 5, 5}, [&](GraphBuilder& g, ValueId x) {
      return g.activate("activate", g.add("x3", g.add("x2", x, x), x), named.activation);
    }));
  }
  cases.push_back(pair("add", {2, 5, 7, 6}, {2, 5, 7, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) { return g.add("sum", a, b); }));
  cases.push_back(single("add_to_itself", {1, 3, 4, 5},
                         [](GraphBuilder& g, ValueId x) { return g.add("twice", x, x); }));
  cases.push_back(
      pair("multiply", {2, 5, 7, 6}, {2, 5, 7, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.multiply("product", a, b); }));
  cases.push_back(
      pair("multiply_broadcast", {2, 11, 7, 6}, {2, 11, 1, 1},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.multiply("product", a, b); }));
  cases.push_back(
      pair("maximum", {2, 5, 7, 6}, {2, 5, 7, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.maximum("larger", a, b); }));
  cases.push_back(single("maximum_of_equals", {1, 3, 4, 5},
                         [](GraphBuilder& g, ValueId x) { return g.maximum("same", x, x); }));
  cases.push_back(pair("concat_odd_channels", {2, 3, 5, 6}, {2, 10, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("both", {a, b});
                       }));
  cases.push_back(pair("concat_of_eights", {2, 8, 5, 6}, {2, 16, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("both", {a, b});
                       }));
  cases.push_back(pair("concat_repeated", {1, 3, 5, 6}, {1, 5, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("three", {b, a, b});
                       }));
  cases.push_back(single("dropout", {2, 5, 7, 9}, [](GraphBuilder& g, ValueId x) {
    return g.dropout("drop", x, {.rate = 0.3f});
  }));
  cases.push_back(single("softmax", {2, 11, 7, 5},
                         [](GraphBuilder& g, ValueId x) { return g.softmax("probabilities", x); }));
}

void add_poolings(Cases& cases) {
  const auto max_pool = [&](const std::string& name, const Shape& input, op::MaxPool options) {
    cases.push_back(single("max_pool_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.max_pool("pool", x, options);
    }));
  };
  max_pool("2x2", {2, 5, 8, 6}, {});
  max_pool("2x2_odd", {1, 9, 7, 9}, {});
  max_pool("2x2_ceil", {1, 9, 7, 9}, {.ceil = true});
  max_pool("3x3_stride2_pad1", {2, 6, 11, 10}, {.kernel = 3, .stride = 2, .padding = 1});
  max_pool("3x3_stride2_ceil", {1, 4, 8, 10}, {.kernel = 3, .stride = 2, .ceil = true});
  max_pool("3x3_stride1", {1, 5, 6, 5}, {.kernel = 3, .stride = 1, .padding = 1});
  max_pool("2x3_asymmetric", {1, 3, 7, 8},
           {.kernel = {2, 3}, .stride = {1, 2}, .padding = {0, 1, 1, 1}});
  const auto average = [&](const std::string& name, const Shape& input, op::AveragePool options) {
    cases.push_back(single("average_pool_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.average_pool("pool", x, options);
    }));
  };
  average("2x2", {2, 5, 8, 6}, {});
  average("2x2_odd", {1, 9, 7, 9}, {});
  average("3x3_padding_counts", {2, 6, 9, 8}, {.kernel = 3, .stride = 2, .padding = 1});
  average("3x3_padding_left_out", {2, 6, 9, 8},
          {.kernel = 3, .stride = 2, .padding = 1, .count_padding = false});
  average("2x2_ceil", {1, 5, 7, 9}, {.ceil = true});
  average("3x3_ceil_padding", {1, 5, 8, 6}, {.kernel = 3, .stride = 2, .padding = 1, .ceil = true});
  average("3x3_ceil_padding_left_out", {1, 5, 8, 6},
          {.kernel = 3, .stride = 2, .padding = 1, .ceil = true, .count_padding = false});
  cases.push_back(single("global_average_pool", {3, 7, 5, 9}, [](GraphBuilder& g, ValueId x) {
    return g.global_average_pool("pool", x);
  }));
}

/// Each resize as the last step, which leaves in plain layout, and with another after it.
void add_resizes(Cases& cases) {
  const auto resize = [&](const std::string& name, const Shape& input, op::Resize options) {
    cases.push_back(single(
        name, input, [&](GraphBuilder& g, ValueId x) { return g.resize("resize", x, options); }));
    cases.push_back(single(name + "_within", input, [&](GraphBuilder& g, ValueId x) {
      return g.relu("after", g.resize("resize", x, options));
    }));
  };
  const auto like = [&](const std::string& name, const Shape& input, const Shape& size,
                        op::Resize options) {
    cases.push_back(pair(name, input, size, [&](GraphBuilder& g, ValueId a, ValueId b) {
      return g.resize_like("like", a, b, options);
    }));
    cases.push_back(pair(name + "_within", input, size, [&](GraphBuilder& g, ValueId a, ValueId b) {
      return g.relu("after", g.resize_like("like", a, b, options));
    }));
  };
  for (const bool align : {false, true}) {
    const std::string suffix = align ? "_aligned" : "";
    resize("bilinear_x2" + suffix, {2, 5, 5, 7}, {.align_corners = align, .scale = 2});
    resize("bilinear_x8" + suffix, {1, 11, 3, 2}, {.align_corners = align, .scale = 8});
    resize("bilinear_x4_of_1x1" + suffix, {1, 3, 1, 1}, {.align_corners = align, .scale = 4});
    resize("bilinear_x3_over_4" + suffix, {2, 5, 9, 8},
           {.align_corners = align, .scale = 3, .divisor = 4});
    like("bilinear_odd_up" + suffix, {2, 5, 4, 5}, {2, 3, 11, 7}, {.align_corners = align});
    like("bilinear_odd_down" + suffix, {1, 5, 13, 9}, {1, 1, 4, 7}, {.align_corners = align});
    like("bilinear_far_up" + suffix, {1, 21, 3, 2}, {1, 1, 29, 53}, {.align_corners = align});
    like("bilinear_to_1x1" + suffix, {1, 5, 6, 3}, {1, 1, 1, 1}, {.align_corners = align});
  }
  const op::Resize nearest{.mode = Interpolation::nearest};
  resize("nearest_x2", {2, 5, 5, 7}, {.mode = Interpolation::nearest, .scale = 2});
  like("nearest_odd_up", {2, 5, 4, 5}, {2, 3, 11, 7}, nearest);
  like("nearest_odd_down", {1, 9, 13, 9}, {1, 1, 4, 7}, nearest);
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

void add_resampling(Cases& cases) {
  add_resizes(cases);
  const auto location = [&](const std::string& name, const Shape& input, int grid) {
    cases.push_back(single("location_grid_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.location_grid("location", x, {.grid = grid});
    }));
  };
  location("3", {2, 27, 7, 10}, 3);
  location("2_of_10_classes", {1, 40, 5, 6}, 2);
  location("4_finer_than_the_picture", {2, 16, 3, 1}, 4);
  location("1", {1, 5, 4, 3}, 1);
  const auto pad = [&](const std::string& name, const Shape& input, op::Pad options) {
    cases.push_back(single("pad_" + name, input,
                           [&](GraphBuilder& g, ValueId x) { return g.pad("pad", x, options); }));
  };
  pad("zero", {2, 5, 5, 6}, {.margin = {1, 2, 3, 0}});
  pad("zero_to_multiple", {1, 3, 9, 17}, {.multiple = 8});
  pad("mirror", {2, 5, 5, 6}, {.mode = PadMode::mirror, .margin = {1, 2, 3, 0}});
  pad("mirror_wider_than_picture", {1, 3, 3, 2}, {.mode = PadMode::mirror, .margin = 7});
  pad("mirror_1x1_to_16", {1, 3, 1, 1}, {.mode = PadMode::mirror, .multiple = 16});
  pad("mirror_with_remainder", {1, 3, 7, 10},
      {.mode = PadMode::mirror, .margin = 3, .multiple = 8, .remainder = 4});
  cases.push_back(
      pair("crop_corner", {2, 5, 9, 8}, {2, 3, 5, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.crop_like("crop", a, b); }));
  cases.push_back(
      pair("crop_centre", {2, 5, 9, 8}, {2, 3, 4, 5}, [](GraphBuilder& g, ValueId a, ValueId b) {
        return g.crop_like("crop", a, b, {.centre = true});
      }));
  cases.push_back(
      pair("crop_offset", {1, 9, 9, 8}, {1, 3, 4, 5}, [](GraphBuilder& g, ValueId a, ValueId b) {
        return g.crop_like("crop", a, b, {.offset = {2, 3}});
      }));
}

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

void add_networks(Cases& cases) {
  cases.push_back({"unet_transpose", small_unet(true, 8), {{2, 3, 16, 20}}});
  cases.push_back({"unet_transpose_odd", small_unet(true, 6), {{1, 3, 13, 11}}});
  cases.push_back({"unet_bilinear_odd", small_unet(false, 5), {{3, 3, 9, 15}}});
  cases.push_back({"unet_of_2x3", small_unet(true, 8), {{2, 3, 2, 3}}});
  cases.push_back({"fcn", small_fcn(), {{2, 3, 17, 22}}});
  cases.push_back({"fcn_of_1x1", small_fcn(), {{1, 3, 1, 1}}});
  cases.push_back({"residual", small_residual(), {{2, 3, 17, 14}}});
  cases.push_back({"shared_value", shared_value(), {{2, 3, 5, 6}}});
  cases.push_back({"concat_of_convolutions", concat_of_convolutions(16), {{1, 3, 6, 7}}});
  cases.push_back({"concat_of_convolutions_batch2", concat_of_convolutions(16), {{2, 3, 6, 7}}});
  cases.push_back({"concat_of_convolutions_odd", concat_of_convolutions(10), {{2, 3, 6, 7}}});
  cases.push_back({"two_scales", two_scales(), {{2, 3, 9, 10}}});
  cases.push_back({"resized_outputs", resized_outputs(false), {{2, 3, 4, 5}}});
  cases.push_back({"resized_outputs_read_again", resized_outputs(true), {{2, 3, 4, 5}}});
  cases.push_back({"depthwise_pair", depthwise_pair(), {{2, 20, 6, 7}}});
  cases.push_back({"fused_add_and_activations", fused_by_hand(), {{2, 5, 7, 6}}});
}

}  // namespace

std::vector<EngineCase> engine_cases() {
  Cases cases;
  add_convolutions(cases);
  add_depthwise_convolutions(cases);
  add_transposed_convolutions(cases);
  add_awkward_activations(cases);
  add_normalisations(cases);
  add_pointwise(cases);
  add_poolings(cases);
  add_resampling(cases);
  add_networks(cases);
  return cases;
}

std::vector<EngineCase> batch_norm_cases() {
  Cases cases = engine_cases();
  std::erase_if(cases, [](const EngineCase& tested) {
    return std::ranges::none_of(tested.graph.nodes, [](const Node& node) {
      return std::holds_alternative<op::BatchNorm>(node.op);
    });
  });
  return cases;
}

std::ostream& operator<<(std::ostream& out, const EngineCase& engine_case) {
  return out << engine_case.name;
}

}  // namespace segmentum
