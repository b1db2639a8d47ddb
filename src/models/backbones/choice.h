// Backbones by name, for networks that stand on any of them.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"

namespace segmentum {

enum class Backbone { vgg16, resnet18, resnet34, resnet50, resnet101, mobilenet_v2, xception65 };

/// Channels of the first convolution as published: 64, or 32 for MobileNetV2 and Xception.
int published_width(Backbone backbone);

bool is_resnet(Backbone backbone);

/// Five levels of features on a picture of any size from 1x1 up; each stride rounds sizes up.
/// `width`: channels of the first convolution, all others in proportion. VGG-16 is the one with
/// batch norm and DeepLab's poolings, under torchvision's names.
BackboneFeatures build_backbone(GraphBuilder& g, ValueId image, Backbone backbone, int width,
                                const BackboneOptions& options);

}  // namespace segmentum
