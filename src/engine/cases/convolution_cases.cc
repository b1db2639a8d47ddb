#include <string>

#include "engine/cases/case_lists.h"

namespace segmentum {
namespace {

EngineCase conv(const std::string& name, const Shape& input, const op::Conv& options) {
  return single("conv_" + name, input,
                [&](GraphBuilder& g, ValueId x) { return g.conv("conv", x, options); });
}

EngineCase transposed(const std::string& name, const Shape& input,
                      const op::TransposedConv& options) {
  return single("transposed_conv_" + name, input,
                [&](GraphBuilder& g, ValueId x) { return g.transposed_conv("up", x, options); });
}

}  // namespace

void add_depthwise_convolutions(EngineCases& cases) {
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

void add_convolutions(EngineCases& cases) {
  cases.push_back(conv("3x3_odd", {2, 5, 13, 11}, {.channels = 7, .kernel = 3, .padding = 1}));
  cases.push_back(conv("3x3_rgb", {1, 3, 17, 19}, {.channels = 16, .kernel = 3, .padding = 1}));
  cases.push_back(conv("3x3_wide", {1, 24, 9, 33}, {.channels = 40, .kernel = 3, .padding = 1}));
  cases.push_back(
      conv("no_bias", {3, 6, 8, 7}, {.channels = 9, .kernel = 3, .padding = 1, .bias = false}));
  cases.push_back(conv("valid", {1, 4, 9, 10}, {.channels = 5, .kernel = 3}));
  cases.push_back(conv("1x1", {2, 19, 7, 5}, {.channels = 11}));
  cases.push_back(conv("1x1_to_few", {2, 70, 9, 53}, {.channels = 11}));
  cases.push_back(conv("1x1_to_some", {1, 45, 7, 5},
                       {.channels = 21, .activation = ActivationKind::leaky_relu}));
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

void add_transposed_convolutions(EngineCases& cases) {
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

void add_awkward_activations(EngineCases& cases) {
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

}  // namespace segmentum
