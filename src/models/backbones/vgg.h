// VGG: Simonyan and Zisserman, ICLR 2015; of any width, with dilation in the place of strides.
#pragma once

#include <array>

#include "graph/graph.h"
#include "models/backbones/backbone.h"
#include "models/blocks.h"

namespace segmentum {

enum class VggNames {
  paper,       // conv1_1, bn1_1, relu1_1, ..., pool5: Caffe's, which FCN and DeepLab use
  torchvision  // features.0, features.1, ...: numbered through, as in vgg16 and vgg16_bn
};

struct VggOptions {
  std::array<int, 5> channels{64, 128, 256, 512, 512};
  std::array<int, 5> convs{2, 2, 3, 3, 3};  // 3x3 convolutions in each block: VGG-16
  Norm norm = Norm::none;
  VggNames names = VggNames::paper;
  BackboneOptions common{};  // the rules of dilation are one here: strides are the poolings'
  int pool_kernel = 2;       // or 3, padded by 1, as in DeepLab
  bool ceil = false;         // poolings of 2x2 round sizes up, as Caffe's do
};

/// Channels of the five blocks in VGG's proportions; published is a width of 64.
std::array<int, 5> vgg_channels(int width);

/// Features at strides 8, 16 and 32, and the last ReLU of each block: strides 1, 2, 4, 8, 16. Where
/// `output_stride` is smaller, it stands for all beyond.
struct VggTaps {
  ValueId pool3;
  ValueId pool4;
  ValueId pool5;
  std::array<ValueId, 5> blocks;
};

/// conv1_1 ... pool5 on `x`. With poolings of 2x2 that do not round up, sizes should be multiples
/// of the output stride, or poolings lose the last pixels; those of 3x3 take any size from 1x1 up
/// and round up. A pooling that gives up its stride becomes 3x3, padded by 1, and the blocks after
/// it are dilated: Chen et al., ICLR 2015, section 3.1. A convolution under the paper's names has a
/// bias only where nothing normalises, under torchvision's always: vgg16_bn has 138,365,992
/// parameters with them. Throws Error for an output stride other than 8, 16 and 32.
VggTaps vgg_backbone(GraphBuilder& g, ValueId x, const VggOptions& options);

}  // namespace segmentum
