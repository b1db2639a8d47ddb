// MobileNetV2: Sandler, Howard, Zhu, Zhmoginov and Chen, CVPR 2018; under torchvision's names.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"

namespace segmentum {

struct MobilenetV2Options {
  BackboneOptions common;
  int width = 32;          // channels of the first convolution; 16 is the multiplier 0.5
  bool last_conv = false;  // features.18, to 1280 channels: the classifier's, DeepLab leaves it out
};

/// Five levels: features.1, .3, .6, .13 and .17 (or .18), of 16, 24, 32, 96 and 320 (1280) channels
/// at full width. A picture of any size from 1x1 up; each stride rounds sizes up. torchvision has
/// no dilated one: `dilation_rule` keep_first is TensorFlow's rule of DeepLab; `multi_grid` is not
/// used. Throws Error for an output stride other than 8, 16 and 32.
BackboneFeatures mobilenet_v2_backbone(GraphBuilder& g, ValueId image,
                                       const MobilenetV2Options& options);

}  // namespace segmentum
