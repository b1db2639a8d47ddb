#include "models/backbones/choice.h"

#include "models/backbones/mobilenet_v2.h"
#include "models/backbones/mobilenet_v3.h"
#include "models/backbones/resnet.h"
#include "models/backbones/vgg.h"
#include "models/backbones/xception.h"

namespace segmentum {
namespace {

BackboneFeatures vgg_features(GraphBuilder& g, ValueId image, const BackboneChoice& choice,
                              const BackboneOptions& options) {
  const VggTaps taps = vgg_backbone(g, image,
                                    {.channels = vgg_channels(choice.width),
                                     .norm = choice.norm,
                                     .names = VggNames::torchvision,
                                     .common = options,
                                     .pool_kernel = 3});
  return {taps.blocks[1], taps.blocks[2], taps.blocks[3], taps.blocks[4], taps.pool5};
}

int resnet_layers(Backbone backbone) {
  switch (backbone) {
    case Backbone::resnet18:
      return 18;
    case Backbone::resnet34:
      return 34;
    case Backbone::resnet101:
      return 101;
    default:
      return 50;
  }
}

}  // namespace

int published_width(Backbone backbone) {
  if (backbone == Backbone::mobilenet_v3_large) return 16;
  return backbone == Backbone::mobilenet_v2 || backbone == Backbone::xception65 ? 32 : 64;
}

bool is_resnet(Backbone backbone) {
  return backbone == Backbone::resnet18 || backbone == Backbone::resnet34 ||
         backbone == Backbone::resnet50 || backbone == Backbone::resnet101;
}

BackboneFeatures build_backbone(GraphBuilder& g, ValueId image, const BackboneChoice& choice,
                                const BackboneOptions& options) {
  const int width = choice.width;
  switch (choice.network) {
    case Backbone::vgg16:
      return vgg_features(g, image, choice, options);
    case Backbone::mobilenet_v2:
      return mobilenet_v2_backbone(g, image, {.common = options, .width = width});
    case Backbone::mobilenet_v3_large:
      return mobilenet_v3_backbone(g, image, {.common = options, .width = width}).levels;
    case Backbone::xception65:
      return xception_backbone(g, image, {.common = options, .width = width});
    default:
      return resnet_backbone(
          g, image, {.common = options, .layers = resnet_layers(choice.network), .width = width});
  }
}

}  // namespace segmentum
