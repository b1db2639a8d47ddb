#include "network_cases.h"

#include <ostream>

#include "models/registry.h"

namespace segmentum {

const std::vector<NetworkCase>& network_cases() {
  static const std::vector<NetworkCase> kCases{
      {"unet", "unet", {{"width", "4"}, {"depth", "2"}}},
      {"unet_deep", "unet", {{"width", "3"}}},
      {"unet_bilinear_plain", "unet", {{"width", "5"}, {"up", "bilinear"}, {"norm", "none"}}},
      {"unet_nearest_group", "unet", {{"width", "4"}, {"up", "nearest"}, {"norm", "group"}}},
      {"unet_valid", "unet", {{"width", "4"}, {"depth", "2"}, {"padding", "valid"}}},
      {"unet_patch", "unet", {{"width", "4"}, {"depth", "2"}, {"block", "patch"}}},
      {"fcn32s", "fcn32s", {{"width", "2"}, {"fc_channels", "8"}}},
      {"fcn16s", "fcn16s", {{"width", "2"}, {"fc_channels", "8"}}},
      {"fcn8s", "fcn8s", {{"width", "2"}, {"fc_channels", "8"}}},
      {"fcn16s_nearest_conv",
       "fcn16s",
       {{"width", "2"}, {"fc_channels", "8"}, {"up", "nearest_conv"}}},
      {"unet_overlapping", "unet", {{"width", "4"}, {"depth", "2"}, {"up", "transpose4"}}},
      {"hypercolumn", "hypercolumn", {{"width", "2"}}},
      {"hypercolumn_concat", "hypercolumn", {{"width", "3"}, {"fusion", "concat"}}},
      {"hypercolumn_hidden", "hypercolumn", {{"width", "2"}, {"hidden", "6"}, {"layers", "1,3"}}},
      {"hypercolumn_resnet", "hypercolumn", {{"width", "2"}, {"backbone", "resnet18"}}},
      {"hypercolumn_boxes", "hypercolumn_boxes", {{"width", "2"}, {"grid", "3"}}},
      {"fcn_resnet50", "fcn_resnet50", {{"width", "2"}}},
      {"deeplabv3_resnet50", "deeplabv3_resnet50", {{"width", "2"}}},
      {"deeplabv3_mobilenet", "deeplabv3_mobilenet_v3_large", {{"width", "2"}}},
      {"lraspp", "lraspp_mobilenet_v3_large", {{"width", "2"}}},
      {"smp_unet", "smp_unet", {{"width", "4"}}},
      {"smp_deeplabv3plus", "smp_deeplabv3plus", {{"width", "4"}}},
      {"smp_deeplabv3", "smp_deeplabv3", {{"width", "4"}, {"encoder", "resnet18"}}},
      {"deeplab_v1", "deeplab_v1", {{"width", "3"}, {"fc_channels", "10"}}},
      {"deeplab_v1_7x7_aligned",
       "deeplab_v1",
       {{"width", "2"}, {"fc_channels", "8"}, {"field", "7x7"}, {"align_corners", "true"}}},
      {"deeplab_v1_4x4_vgg_names",
       "deeplab_v1",
       {{"width", "2"},
        {"fc_channels", "8"},
        {"field", "4x4_rate8"},
        {"norm", "none"},
        {"names", "torchvision"},
        {"output_stride", "16"}}},
      {"deeplab_v2_vgg", "deeplab_v2", {{"width", "2"}, {"fc_channels", "8"}}},
      {"deeplab_v2_three_scales",
       "deeplab_v2",
       {{"backbone", "resnet18"}, {"width", "2"}, {"multi_scale", "true"}, {"aux", "true"}}},
      {"deeplab_v3_resnet",
       "deeplab_v3",
       {{"backbone", "resnet50"}, {"width", "2"}, {"aspp_channels", "8"}, {"output_stride", "8"}}},
      {"deeplab_v3_mobilenet_light",
       "deeplab_v3",
       {{"width", "8"}, {"aspp_channels", "8"}, {"rates", "none"}}},
      {"deeplab_v3plus_mobilenet",
       "deeplab_v3plus",
       {{"width", "8"},
        {"aspp_channels", "8"},
        {"low_level_channels", "5"},
        {"decoder_channels", "8"},
        {"align_corners", "true"}}},
      {"deeplab_v3plus_xception",
       "deeplab_v3plus",
       {{"backbone", "xception65"},
        {"width", "2"},
        {"aspp_channels", "8"},
        {"decoder_channels", "8"},
        {"image_pooling", "false"}}},
      {"deeplab_v1_transposed",
       "deeplab_v1",
       {{"width", "2"}, {"fc_channels", "8"}, {"up", "transpose"}}},
      {"deeplab_v3_mobilenet_v3",
       "deeplab_v3",
       {{"backbone", "mobilenet_v3_large"},
        {"width", "4"},
        {"aspp_channels", "8"},
        {"up", "nearest_conv"}}},
      {"deeplab_v3plus_plain_vgg_transposed",
       "deeplab_v3plus",
       {{"backbone", "vgg16"},
        {"norm", "none"},
        {"width", "2"},
        {"aspp_channels", "8"},
        {"up", "transpose"}}},
      {"hypercolumn_mobilenet_v3_fixed",
       "hypercolumn",
       {{"backbone", "mobilenet_v3_large"}, {"width", "4"}, {"up", "fixed"}}},
      {"hypercolumn_plain_vgg_aligned",
       "hypercolumn",
       {{"width", "2"}, {"norm", "none"}, {"up", "bilinear_conv"}, {"align_corners", "true"}}},
      {"deeplab_v3plus_vgg",
       "deeplab_v3plus",
       {{"backbone", "vgg16"}, {"width", "2"}, {"aspp_channels", "8"}, {"separable", "false"}}},
  };
  return kCases;
}

std::ostream& operator<<(std::ostream& out, const NetworkCase& tested) {
  return out << tested.name;
}

Graph graph_of(const NetworkCase& tested) {
  return build_model(tested.architecture,
                     {.input_channels = 3, .classes = 5, .settings = tested.settings});
}

}  // namespace segmentum
