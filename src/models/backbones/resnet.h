// Residual networks: He, Zhang, Ren and Sun, CVPR 2016; under torchvision's names.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"

namespace segmentum {

struct ResnetOptions {
  BackboneOptions common;
  int layers = 50;  // 18 or 34: blocks of two 3x3; 50 or 101: bottlenecks of 1x1, 3x3, 1x1
  int width = 64;   // channels of the first convolution; layer1 to layer4 have 1, 2, 4, 8 times as
                    // many, and bottlenecks end in 4 times that
};

/// Five levels: the first convolution after its ReLU, layer1, layer2, layer3, layer4. A picture of
/// any size from 1x1 up; each stride rounds sizes up. The stride of a bottleneck is on its 3x3
/// ("ResNet v1.5"), not on the first 1x1 as in the paper. torchvision has no dilated ResNet-18 and
/// -34: here their blocks follow the same rules as bottlenecks.
/// Throws Error for other numbers of layers or output strides.
BackboneFeatures resnet_backbone(GraphBuilder& g, ValueId image, const ResnetOptions& options);

}  // namespace segmentum
