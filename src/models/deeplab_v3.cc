#include "models/aspp.h"
#include "models/blocks.h"
#include "models/deeplab.h"
#include "models/deeplab_parts.h"
#include "models/up_setting.h"

namespace segmentum {
namespace {

constexpr int kLowLevelStride = 4;

BackboneFeatures features_of(GraphBuilder& g, ValueId image, const DeeplabV3Options& o) {
  BackboneOptions options{.prefix = "backbone.", .output_stride = o.common.output_stride};
  if (is_resnet(o.backbone) && o.multi_grid) options.multi_grid = {1, 2, 4};
  if (is_resnet(o.backbone) || o.backbone == Backbone::mobilenet_v3_large) {
    options.dilation_rule = DilationRule::every_block;
  }
  return build_backbone(g, image, {o.backbone, o.width, o.norm}, options);
}

/// The pyramid magnified to the features of stride 4 and joined to a few channels made of them.
ValueId decoder(GraphBuilder& g, const FittedPicture& picture, ValueId x, ValueId low_level,
                const DeeplabV3Options& o) {
  const ValueId low =
      conv_bn_relu(g, "decoder.low_level", low_level, {.channels = o.low_level_channels});
  const ValueId magnified =
      picture.upsampled("decoder.interp", x, low, o.common.output_stride / kLowLevelStride);
  x = g.concat("decoder.concat", {magnified, low});
  const op::Conv conv{.channels = o.decoder_channels, .kernel = 3, .padding = 1};
  for (const char* name : {"decoder.conv1", "decoder.conv2"}) {
    x = o.separable ? separable_conv_bn_relu(g, name, x, conv) : conv_bn_relu(g, name, x, conv);
  }
  return x;
}

DeeplabV3Options options_of(bool plus, const ModelOptions& options, const Settings& settings) {
  const Backbone backbone = backbone_choice(settings);
  DeeplabV3Options o{
      .common = deeplab_options(options, settings),
      .backbone = backbone,
      .width = width_choice(settings, backbone),
      .norm = vgg_norm_choice(settings, backbone),
      .multi_grid = settings.flag("multi_grid"),
      .rates = settings.choice<std::vector<int>>("rates", {{"6-12-18", {6, 12, 18}}, {"none", {}}}),
      .image_pooling = settings.flag("image_pooling"),
      .aspp_channels = settings.integer("aspp_channels", 1, 65536),
      .separable = settings.flag("separable"),
      .dropout = settings.real("dropout", 0, 0.95f)};
  if (plus) {
    o.decoder = true;
    o.low_level_channels = settings.integer("low_level_channels", 1, 65536);
    o.decoder_channels = settings.integer("decoder_channels", 1, 65536);
  }
  return o;
}

template <bool plus>
Graph build_from_settings(const ModelOptions& options, const Settings& settings) {
  return build_deeplab_v3(options_of(plus, options, settings));
}

std::vector<SettingInfo> settings_of_v3(const char* separable, const char* published_separable) {
  return {
      backbone_setting("mobilenet_v2", "resnet101, xception65, mobilenet_v2"),
      {"width", "published", "published | 1 to 512",
       "channels of the backbone's first convolution, all others in proportion (published: 64, "
       "mobilenet_v2 and xception65 32, mobilenet_v3_large 16)"},
      output_stride_setting("16"),
      {"rates", "6-12-18", "6-12-18 | none",
       "dilations of the pyramid at output stride 16, twice those at 8; none leaves the 1x1 and "
       "the image pooling, as published for mobilenet_v2"},
      {"image_pooling", "true", "true | false",
       "the mean of the whole picture as a branch of the pyramid; without it large pictures can "
       "be cut into tiles"},
      {"aspp_channels", "256", "1 to 65536", "channels of the pyramid"},
      {"separable", separable, "true | false",
       std::string("3x3 convolutions of the head as depthwise and pointwise (published: ") +
           published_separable + ")"},
      {"multi_grid", "true", "true | false",
       "on a resnet: rates of the last three blocks times 1, 2, 4"},
      {"dropout", "0.1", "0 to 0.95", "rate after the pyramid"},
      vgg_norm_setting(),
      up_setting("the pyramid's features and the scores"),
      align_corners_setting()};
}

}  // namespace

Graph build_deeplab_v3(const DeeplabV3Options& o) {
  GraphBuilder g(o.decoder ? "deeplab_v3plus" : "deeplab_v3");
  const FittedPicture picture(g, o.common, o.common.output_stride);
  const BackboneFeatures features = features_of(g, picture.padded(), o);
  std::vector<int> rates;
  for (int rate : o.rates) rates.push_back(rate_at(o.common.output_stride, rate, 16));
  ValueId x = aspp(g, "aspp", features.back(),
                   {.channels = o.aspp_channels,
                    .rates = rates,
                    .separable = o.separable,
                    .image_pooling = o.image_pooling,
                    .dropout = o.dropout});
  if (o.decoder) x = decoder(g, picture, x, features[1], o);
  const ValueId scores =
      g.conv("classifier", x, {.channels = o.common.classes, .init = Init::small_normal});
  g.output("logits", picture.at_full_size("score", scores,
                                          o.decoder ? kLowLevelStride : o.common.output_stride));
  return std::move(g).build();
}

Architecture deeplab_v3_architecture() {
  return {{.name = "deeplab_v3",
           .description = "any backbone at a chosen output stride, and a pyramid of dilated "
                          "convolutions with the mean of the picture",
           .paper = "Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic "
                    "Image Segmentation, 2017",
           .settings = settings_of_v3("false", "false")},
          build_from_settings<false>};
}

Architecture deeplab_v3plus_architecture() {
  std::vector<SettingInfo> settings = settings_of_v3("true", "true");
  settings.push_back({"low_level_channels", "48", "1 to 65536",
                      "to which the decoder projects the features of stride 4"});
  settings.push_back({"decoder_channels", "256", "1 to 65536", "channels of the decoder"});
  return {{.name = "deeplab_v3plus",
           .description = "DeepLab v3 with a decoder that brings back the features of stride 4",
           .paper = "Chen, Zhu, Papandreou, Schroff, Adam: Encoder-Decoder with Atrous Separable "
                    "Convolution for Semantic Image Segmentation, ECCV 2018",
           .settings = std::move(settings)},
          build_from_settings<true>};
}

}  // namespace segmentum
