// Aligned Xception-65 of DeepLabv3+: Chen, Zhu, Papandreou, Schroff and Adam, ECCV 2018, figure 4;
// after Chollet, CVPR 2017, and the aligned Xception of Qi et al., 2017.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"

namespace segmentum {

struct XceptionOptions {
  BackboneOptions common;
  int width = 32;          // channels of the first convolution; all others in proportion
  int middle_blocks = 16;  // of the middle flow
};

/// Five levels: the second convolution; in entry blocks 2 and 3 and in exit block 1 what stands
/// before the stride (as TensorFlow's DeepLab takes its low-level features); the end: 64, 256, 728,
/// 1024 and 2048 channels at full width. Every convolution has a batch norm of epsilon 1e-3, the
/// depthwise ones too. A picture of any size from 1x1 up; each stride rounds sizes up.
/// At other widths channels are rounded to multiples of 8. Names are TensorFlow's with dots:
/// entry_flow.block1.unit_1.separable_conv1_depthwise. `multi_grid` multiplies the rates of the
/// last block. Throws Error for an output stride other than 8, 16 and 32.
BackboneFeatures xception_backbone(GraphBuilder& g, ValueId image, const XceptionOptions& options);

}  // namespace segmentum
