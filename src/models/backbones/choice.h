// Backbones by name, for networks that stand on any of them.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"
#include "models/blocks.h"

namespace segmentum {

enum class Backbone {
  vgg16,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  mobilenet_v2,
  mobilenet_v3_large,
  xception65
};

struct BackboneChoice {
  Backbone network = Backbone::vgg16;
  int width = 64;           // channels of the first convolution, all others in proportion
  Norm norm = Norm::batch;  // of VGG; the others have batch norm
};

/// Channels of the first convolution as published: 64; 32 for MobileNetV2 and Xception, 16 for
/// MobileNetV3.
int published_width(Backbone backbone);

bool is_resnet(Backbone backbone);

/// Five levels of features on a picture of any size from 1x1 up; each stride rounds sizes up.
/// Behind the prefix, parameters are called as in torchvision's classifiers (VGG-16, which has
/// DeepLab's poolings, ResNets, MobileNets; the third version without the leading "features.").
BackboneFeatures build_backbone(GraphBuilder& g, ValueId image, const BackboneChoice& choice,
                                const BackboneOptions& options);

}  // namespace segmentum
