#include "models/torchvision.h"

#include <algorithm>
#include <utility>

#include "models/aspp.h"
#include "models/backbones/mobilenet_v3.h"
#include "models/backbones/resnet.h"
#include "models/blocks.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Backbone = TorchvisionBackbone;

constexpr float kAuxiliaryDropout = 0.1f;

const char* backbone_name(Backbone backbone) {
  switch (backbone) {
    case Backbone::resnet50:
      return "resnet50";
    case Backbone::resnet101:
      return "resnet101";
    case Backbone::mobilenet_v3_large:
      return "mobilenet_v3_large";
  }
  return "";
}

struct Features {
  ValueId high;
  ValueId low;  // what the auxiliary head and LR-ASPP read
};

Features backbone_features(GraphBuilder& g, ValueId image, const TorchvisionOptions& o) {
  BackboneOptions common{.prefix = "backbone.", .output_stride = o.output_stride};
  if (o.backbone == Backbone::mobilenet_v3_large) {
    common.dilation_rule = DilationRule::every_block;
    const auto features = mobilenet_v3_backbone(g, image, {.common = common, .width = o.width});
    return {features.levels.back(), features.first_at_8};
  }
  const int layers = o.backbone == Backbone::resnet50 ? 50 : 101;
  const auto levels =
      resnet_backbone(g, image, {.common = common, .layers = layers, .width = o.width});
  return {levels[4], levels[3]};
}

/// 3x3 to a quarter of the channels, and scores.
ValueId fcn_head(GraphBuilder& g, const std::string& name, ValueId x, int classes, float dropout) {
  const int channels = std::max(1, g.channels(x) / 4);
  x = conv_bn_relu(g, name, x, {.channels = channels, .kernel = 3, .padding = 1});
  if (dropout > 0) x = g.dropout(name + ".3", x, {dropout});
  return g.conv(name + ".4", x, {.channels = classes});
}

ValueId deeplab_head(GraphBuilder& g, ValueId x, const TorchvisionOptions& o) {
  const int per_width = o.backbone == Backbone::mobilenet_v3_large ? 16 : 4;  // 256 as published
  const int channels = per_width * o.width;
  x = aspp(g, "classifier.0", x, {.channels = channels, .dropout = o.dropout});
  x = conv_bn(g, "classifier.1", "classifier.2", x,
              {.channels = channels, .kernel = 3, .padding = 1});
  return g.conv("classifier.4", g.relu("classifier.3", x), {.channels = o.classes});
}

ValueId lraspp_head(GraphBuilder& g, const Features& features, const TorchvisionOptions& o) {
  const int channels = 8 * o.width;  // 128 as published
  const std::string name = "classifier.";
  ValueId x = conv_bn_relu(g, name + "cbr", features.high, {.channels = channels});
  ValueId scale = g.global_average_pool(name + "scale.0", features.high);
  scale = g.conv(name + "scale.1", scale, {.channels = channels, .bias = false});
  scale = g.activate(name + "scale.2", scale, ActivationKind::sigmoid);
  x = g.resize_like(name + "resize", g.multiply(name + "scale", x, scale), features.low);
  const ValueId low = g.conv(name + "low_classifier", features.low, {.channels = o.classes});
  const ValueId high = g.conv(name + "high_classifier", x, {.channels = o.classes});
  return g.add(name + "add", low, high);
}

/// Backbone, `head`, auxiliary head, each resized to the picture.
template <typename Head>
Graph build(const std::string& family, const TorchvisionOptions& o, const Head& head) {
  GraphBuilder g(family + "_" + backbone_name(o.backbone));
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const Features features = backbone_features(g, image, o);
  g.output("logits", g.resize_like("out", head(g, features), image));
  if (o.auxiliary_head) {
    const ValueId aux = fcn_head(g, "aux_classifier", features.low, o.classes, kAuxiliaryDropout);
    g.output("aux", g.resize_like("aux", aux, image));
  }
  return std::move(g).build();
}

constexpr const char* kFcnPaper =
    "Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015";
constexpr const char* kDeeplabPaper =
    "Chen, Papandreou, Schroff, Adam: Rethinking Atrous Convolution for Semantic Image "
    "Segmentation, 2017";
constexpr const char* kLrasppPaper = "Howard et al.: Searching for MobileNetV3, ICCV 2019";

/// `dropout`: its default, or null for a network that has neither dropout nor auxiliary head.
std::vector<SettingInfo> settings_of(Backbone backbone, const char* dropout) {
  const bool mobile = backbone == Backbone::mobilenet_v3_large;
  const std::string width = mobile ? "16" : "64", stride = mobile ? "16" : "8";
  std::vector<SettingInfo> settings{
      {"width", width, "1 to 1024",
       "channels of the first convolution, all others in proportion (published: " + width + ")"},
      {"output_stride", stride, "8 | 16 | 32",
       "strides of the backbone beyond it become dilations (published: " + stride + ")"}};
  if (dropout) {
    settings.push_back({"dropout", dropout, "0 to 0.95", "rate in the classifier"});
    settings.push_back(
        {"aux", "true", "true | false", "an auxiliary head, as in the published weights"});
  }
  return settings;
}

TorchvisionOptions options_of(Backbone backbone, const ModelOptions& options,
                              const Settings& settings) {
  TorchvisionOptions result{
      .input_channels = options.input_channels,
      .classes = options.classes,
      .backbone = backbone,
      .width = settings.integer("width", 1, 1024),
      .output_stride = settings.choice<int>("output_stride", {{"8", 8}, {"16", 16}, {"32", 32}})};
  if (settings.values().contains("dropout")) {
    result.dropout = settings.real("dropout", 0, 0.95f);
    result.auxiliary_head = settings.flag("aux");
  }
  return result;
}

template <Backbone backbone, Graph (*builder)(const TorchvisionOptions&)>
Architecture architecture(const std::string& family, const std::string& description,
                          const char* paper, const char* dropout) {
  return {{.name = family + "_" + backbone_name(backbone),
           .description = description,
           .paper = paper,
           .settings = settings_of(backbone, dropout)},
          [](const ModelOptions& options, const Settings& settings) {
            return builder(options_of(backbone, options, settings));
          }};
}

}  // namespace

Graph build_torchvision_fcn(const TorchvisionOptions& o) {
  return build("fcn", o, [&](GraphBuilder& g, const Features& features) {
    return fcn_head(g, "classifier", features.high, o.classes, o.dropout);
  });
}

Graph build_torchvision_deeplabv3(const TorchvisionOptions& o) {
  return build("deeplabv3", o, [&](GraphBuilder& g, const Features& features) {
    return deeplab_head(g, features.high, o);
  });
}

Graph build_lraspp(const TorchvisionOptions& options) {
  if (options.backbone != Backbone::mobilenet_v3_large) {
    throw Error(std::string("LR-ASPP on ") + backbone_name(options.backbone) +
                "; it is defined on mobilenet_v3_large");
  }
  TorchvisionOptions o = options;
  o.auxiliary_head = false;
  return build("lraspp", o, [&](GraphBuilder& g, const Features& features) {
    return lraspp_head(g, features, o);
  });
}

std::vector<Architecture> torchvision_architectures() {
  const std::string dilated = "dilated ResNet and ", weights = "; torchvision's weights fit";
  const std::string fcn = dilated + "two convolutions" + weights;
  const std::string pyramid = "atrous pyramid (ASPP)" + weights;
  return {architecture<Backbone::resnet50, build_torchvision_fcn>("fcn", fcn, kFcnPaper, "0.1"),
          architecture<Backbone::resnet101, build_torchvision_fcn>("fcn", fcn, kFcnPaper, "0.1"),
          architecture<Backbone::resnet50, build_torchvision_deeplabv3>(
              "deeplabv3", dilated + pyramid, kDeeplabPaper, "0.5"),
          architecture<Backbone::resnet101, build_torchvision_deeplabv3>(
              "deeplabv3", dilated + pyramid, kDeeplabPaper, "0.5"),
          architecture<Backbone::mobilenet_v3_large, build_torchvision_deeplabv3>(
              "deeplabv3", "dilated MobileNetV3 and " + pyramid, kDeeplabPaper, "0.5"),
          architecture<Backbone::mobilenet_v3_large, build_lraspp>(
              "lraspp", "dilated MobileNetV3 and a light head: small and fast" + weights,
              kLrasppPaper, nullptr)};
}

}  // namespace segmentum
