#include "models/smp.h"

#include <algorithm>
#include <string>
#include <utility>

#include "models/aspp.h"
#include "models/backbones/resnet.h"
#include "models/blocks.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

BackboneFeatures encoder(GraphBuilder& g, ValueId image, const SmpOptions& o, int output_stride) {
  return resnet_backbone(g, image,
                         {.common = {.prefix = "encoder.",
                                     .output_stride = output_stride,
                                     .dilation_rule = DilationRule::every_block},
                          .layers = o.encoder_layers,
                          .width = o.width});
}

int decoder_channels(const SmpOptions& o) {
  return 4 * o.width;  // 256 as published
}

ValueId magnified(GraphBuilder& g, const std::string& name, ValueId x, int scale) {
  return g.resize(name, x, {.align_corners = true, .scale = scale});
}

/// Encoder and decoder of a DeepLab on a picture of a size that fits; then the head, from
/// `decoder_stride`.
template <typename Decoder>
Graph build_deeplab(const std::string& name, const SmpOptions& o, int decoder_stride,
                    const Decoder& decoder) {
  if (o.output_stride != 8 && o.output_stride != 16) {
    throw Error(name + " of output stride " + std::to_string(o.output_stride) +
                "; expected 8 or 16");
  }
  GraphBuilder g(name);
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const ValueId padded =
      g.pad("pad", image, {.mode = PadMode::mirror, .multiple = o.output_stride});
  ValueId x = decoder(g, encoder(g, padded, o, o.output_stride));
  x = g.conv("segmentation_head.0", x, {.channels = o.classes});
  x = magnified(g, "segmentation_head.1", x, decoder_stride);
  g.output("logits", g.crop_like("crop", x, image));
  return std::move(g).build();
}

const SettingInfo kEncoder{"encoder", "resnet34", "resnet18 | resnet34 | resnet50 | resnet101",
                           "the backbone"};
const SettingInfo kWidth{
    "width", "64", "1 to 1024",
    "channels of the first convolution, all others in proportion (published: 64)"};

SmpOptions options_of(const ModelOptions& options, const Settings& settings) {
  SmpOptions result{
      .input_channels = options.input_channels,
      .classes = options.classes,
      .encoder_layers = settings.choice<int>(
          "encoder", {{"resnet18", 18}, {"resnet34", 34}, {"resnet50", 50}, {"resnet101", 101}}),
      .width = settings.integer("width", 1, 1024)};
  if (settings.values().contains("output_stride")) {
    result.output_stride = settings.choice<int>("output_stride", {{"8", 8}, {"16", 16}});
    result.dropout = settings.real("dropout", 0, 0.95f);
  }
  return result;
}

template <Graph (*builder)(const SmpOptions&)>
Graph build_from_settings(const ModelOptions& options, const Settings& settings) {
  return builder(options_of(options, settings));
}

std::vector<SettingInfo> deeplab_settings(const std::string& output_stride) {
  return {kEncoder,
          kWidth,
          {"output_stride", output_stride, "8 | 16",
           "strides of the encoder beyond it become dilations"},
          {"dropout", "0.5", "0 to 0.95", "rate after the pyramid"}};
}

}  // namespace

Graph build_smp_unet(const SmpOptions& o) {
  GraphBuilder g("smp_unet");
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const BackboneFeatures features = encoder(g, image, o, 32);
  ValueId x = features.back();
  for (std::size_t k = 0; k < features.size(); ++k) {
    const std::string name = "decoder.blocks." + std::to_string(k);
    const bool has_skip = k + 1 < features.size();
    const ValueId skip = has_skip ? features[features.size() - 2 - k] : image;
    x = upsample(g, name + ".resize", x, 2, Upsampling::nearest);
    x = g.crop_like(name + ".crop", x, skip);
    if (has_skip) x = g.concat(name + ".concat", {x, skip});
    const op::Conv conv{
        .channels = std::max(1, decoder_channels(o) >> k), .kernel = 3, .padding = 1};
    x = conv_bn_relu(g, name + ".conv1", x, conv);
    x = conv_bn_relu(g, name + ".conv2", x, conv);
  }
  g.output("logits",
           g.conv("segmentation_head.0", x, {.channels = o.classes, .kernel = 3, .padding = 1}));
  return std::move(g).build();
}

Graph build_smp_deeplabv3(const SmpOptions& o) {
  const auto decoder = [&](GraphBuilder& g, const BackboneFeatures& features) {
    const int channels = decoder_channels(o);
    ValueId x =
        aspp(g, "decoder.aspp", features.back(), {.channels = channels, .dropout = o.dropout});
    x = conv_bn(g, "decoder.conv", "decoder.bn", x,
                {.channels = channels, .kernel = 3, .padding = 1});
    return g.relu("decoder.relu", x);
  };
  return build_deeplab("smp_deeplabv3", o, o.output_stride, decoder);
}

Graph build_smp_deeplabv3plus(const SmpOptions& o) {
  const auto decoder = [&](GraphBuilder& g, const BackboneFeatures& features) {
    const op::Conv conv3x3{.channels = decoder_channels(o), .kernel = 3, .padding = 1};
    ValueId x = aspp(g, "decoder.aspp.0", features.back(),
                     {.channels = conv3x3.channels, .separable = true, .dropout = o.dropout});
    x = separable_conv(g, "decoder.aspp.1", x, conv3x3);
    x = g.relu("decoder.aspp.3", g.batch_norm("decoder.aspp.2", x));
    x = magnified(g, "decoder.up", x, o.output_stride / 4);
    const int low_channels = std::max(1, 3 * o.width / 4);  // 48 as published
    const ValueId low = conv_bn_relu(g, "decoder.block1", features[1], {.channels = low_channels});
    return separable_conv_bn_relu(g, "decoder.block2", g.concat("decoder.concat", {x, low}),
                                  conv3x3);
  };
  return build_deeplab("smp_deeplabv3plus", o, 4, decoder);
}

std::vector<Architecture> smp_architectures() {
  const std::string weights = "; weights of segmentation_models.pytorch fit";
  return {{{.name = "smp_unet",
            .description = "U-Net on a ResNet" + weights,
            .paper = "Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical "
                     "Image Segmentation, MICCAI 2015",
            .settings = {kEncoder, kWidth}},
           build_from_settings<build_smp_unet>},
          {{.name = "smp_deeplabv3plus",
            .description = "dilated ResNet, separable atrous pyramid and decoder" + weights,
            .paper = "Chen, Zhu, Papandreou, Schroff, Adam: Encoder-Decoder with Atrous Separable "
                     "Convolution for Semantic Image Segmentation, ECCV 2018",
            .settings = deeplab_settings("16")},
           build_from_settings<build_smp_deeplabv3plus>},
          {{.name = "smp_deeplabv3",
            .description = "dilated ResNet and atrous pyramid (ASPP)" + weights,
            .paper = "Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic "
                     "Image Segmentation, 2017",
            .settings = deeplab_settings("8")},
           build_from_settings<build_smp_deeplabv3>}};
}

}  // namespace segmentum
