#include <algorithm>
#include <iterator>

#include "models/crf_layer.h"
#include "models/deeplab.h"
#include "models/deeplab_parts.h"
#include "models/up_setting.h"

namespace segmentum {
namespace {

DeeplabV1Options options_of(const ModelOptions& options, const Settings& settings) {
  return {.common = deeplab_options(options, settings),
          .width = settings.integer("width", 1, 512),
          .norm = settings.choice<Norm>("norm", {{"batch", Norm::batch}, {"none", Norm::none}}),
          .names = settings.choice<VggNames>(
              "names", {{"paper", VggNames::paper}, {"torchvision", VggNames::torchvision}}),
          .field = settings.choice<FieldOfView>(
              "field",
              {{"largefov", {3, 12}}, {"4x4", {4, 4}}, {"4x4_rate8", {4, 8}}, {"7x7", {7, 4}}}),
          .fc_channels = settings.integer("fc_channels", 1, 65536),
          .dropout = settings.real("dropout", 0, 0.95f),
          .crf = crf_layer(options, settings)};
}

std::vector<SettingInfo> deeplab_v1_settings() {
  std::vector<SettingInfo> settings{
      {"width", "16", "1 to 512",
       "channels of the first block; the blocks have 1, 2, 4, 8, 8 times as many "
       "(published: 64)"},
      {"norm", "batch", "batch | none", "normalisation after each convolution (published: none)"},
      {"field", "largefov", "largefov | 4x4 | 4x4_rate8 | 7x7",
       "window of fc6: 3x3 of rate 12, 4x4 of rate 4 or 8, 7x7 of rate 4"},
      {"fc_channels", "256", "1 to 65536",
       "channels of fc6 and fc7 (published: 1024 for largefov, 4096 for the "
       "others)"},
      {"dropout", "0.5", "0 to 0.95", "rate after fc6 and fc7"},
      output_stride_setting("8"),
      up_setting("scores"),
      align_corners_setting(),
      {"names", "paper", "paper | torchvision",
       "what VGG's parameters are called: conv1_1, or features.0 as in "
       "torchvision's vgg16 and vgg16_bn"}};
  std::ranges::move(crf_settings(), std::back_inserter(settings));
  return settings;
}

}  // namespace

Graph build_deeplab_v1(const DeeplabV1Options& o) {
  GraphBuilder g("deeplab_v1");
  const FittedPicture picture(g, o.common, o.common.output_stride);
  ValueId x = vgg_backbone(g, picture.padded(),
                           {.channels = vgg_channels(o.width),
                            .norm = o.norm,
                            .names = o.names,
                            .common = {.output_stride = o.common.output_stride},
                            .pool_kernel = 3})
                  .pool5;
  if (o.field.kernel == 3) {
    x = g.average_pool("pool5a", x, {.kernel = 3, .stride = 1, .padding = 1});
  }
  const ValueId scores = fully_connected_scores(
      g, "", x, o.common,
      {.field = o.field, .channels = o.fc_channels, .norm = o.norm, .dropout = o.dropout});
  const ValueId full = picture.at_full_size("score", scores, o.common.output_stride);
  g.output("logits", with_crf(g, full, picture.image(), o.crf));
  return std::move(g).build();
}

Architecture deeplab_v1_architecture() {
  return {{.name = "deeplab_v1",
           .description = "VGG with dilation in the place of its last strides, and a wide field of "
                          "view: DeepLab-LargeFOV",
           .paper = "Chen, Papandreou, Kokkinos, Murphy, Yuille: Semantic Image Segmentation with "
                    "Deep Convolutional Nets and Fully Connected CRFs, ICLR 2015",
           .settings = deeplab_v1_settings(),
           .presets = {crf_preset()}},
          [](const ModelOptions& options, const Settings& settings) {
            return build_deeplab_v1(options_of(options, settings));
          }};
}

}  // namespace segmentum
