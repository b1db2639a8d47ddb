// The DeepLab family: Chen, Papandreou, Kokkinos, Murphy, Yuille, Zhu, Schroff, Adam, 2015 to 2018.
// A picture of any H×W from 1x1 up gives logits of H×W: it is mirrored at the bottom and the right
// to what the strides divide, and the logits are cropped back.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "models/backbones/choice.h"
#include "models/backbones/vgg.h"
#include "models/settings.h"

namespace segmentum {

/// What all four are asked for.
struct DeeplabOptions {
  int input_channels = 3;
  int classes = 2;
  int output_stride = 8;  // of the backbone: 8, 16 or 32; the rates follow it
  /// False: half-pixel centred magnification of sizes that are multiples of the stride, which can
  /// be cut into tiles. True: as the authors, corners on corners, of sizes k*stride + 1.
  bool align_corners = false;
  /// From features to features and from scores to the picture; align_corners is the one above, and
  /// asks for bilinear.
  UpsampleOptions up{.how = Upsampling::bilinear};
};

/// The window of fc6, which was fully connected in VGG: 3x3 of rate 12 is called LargeFOV.
struct FieldOfView {
  int kernel = 3;
  int rate = 12;  // at output stride 8; half of it at 16, a quarter at 32
};

struct DeeplabV1Options {
  DeeplabOptions common;
  int width = 64;  // of VGG's first block
  Norm norm = Norm::none;
  VggNames names = VggNames::paper;
  FieldOfView field;
  int fc_channels = 1024;  // of fc6 and fc7; published 4096 for fields other than LargeFOV
  float dropout = 0.5f;
  std::optional<op::MeanField> crf;  // behind the scores
};

/// DeepLab v1: VGG-16 without its last two strides, a dilated fc6, fc7 and scores (fc8), magnified.
/// ICLR 2015. Names are Caffe's: conv1_1 ... fc8; LargeFOV's mean over 3x3 before fc6 is pool5a.
/// fc8 starts with a deviation of 0.01, all else by He's rule.
/// Where we differ: normalisation is possible; without align_corners see above; the loss is taken
/// at full size, not on labels shrunk to the scores' size.
Graph build_deeplab_v1(const DeeplabV1Options& options);

struct DeeplabV2Options {
  DeeplabOptions common;
  Backbone backbone = Backbone::vgg16;
  int width = 64;
  Norm norm = Norm::none;                 // VGG only; the others have batch norm
  VggNames names = VggNames::paper;       // VGG only
  std::vector<int> rates{6, 12, 18, 24};  // ASPP-L; ASPP-S is 2, 4, 8, 12. At output stride 8
  int fc_channels = 1024;                 // VGG only
  float dropout = 0.5f;                   // VGG only
  bool multi_scale = false;               // the picture also at 3/4 and 1/2, with the same weights
  bool aux = false;                       // with multi_scale: scores of each scale as outputs, too
};

/// DeepLab v2: one branch for each rate, whose scores are summed. On VGG-16 a branch is fc6, fc7,
/// fc8; on other backbones one 3x3 convolution to scores. With `multi_scale` the scores of three
/// scales are magnified to those of the largest (always bilinear) and fused by their maximum;
/// parameters are shared, a batch norm's running statistics take in all three. Outputs of `aux`:
/// aux_res1, aux_res075, aux_res05. PAMI 2017 (arXiv 1606.00915). Where we differ: ResNets have
/// their stride on the 3x3.
Graph build_deeplab_v2(const DeeplabV2Options& options);

struct DeeplabV3Options {
  DeeplabOptions common{.output_stride = 16};
  Backbone backbone = Backbone::mobilenet_v2;
  int width = 32;
  Norm norm = Norm::batch;            // of VGG; the others have batch norm
  bool multi_grid = true;             // rates of a ResNet's last three blocks times 1, 2, 4
  std::vector<int> rates{6, 12, 18};  // at output stride 16, twice that at 8; may be empty
  bool image_pooling = true;  // the mean of the whole picture as a branch: it cannot be tiled
  int aspp_channels = 256;
  bool separable = false;       // 3x3 of pyramid and decoder as depthwise and pointwise
  float dropout = 0.1f;         // after the pyramid
  bool decoder = false;         // DeepLab v3+
  int low_level_channels = 48;  // to which the decoder projects the features of stride 4
  int decoder_channels = 256;
};

/// DeepLab v3 (arXiv 1706.05587) and, with the decoder, v3+ (ECCV 2018): atrous spatial pyramid
/// with image pooling; the decoder joins it to the features of stride 4 and has two 3x3
/// convolutions. Names: backbone.*, aspp.*, decoder.low_level, decoder.conv1, decoder.conv2,
/// classifier. Where we differ: ResNets keep torchvision's first 7x7 and the stride in a stage's
/// first block (the authors': three 3x3, the last block); a separable 3x3 has one batch norm, at
/// its end.
Graph build_deeplab_v3(const DeeplabV3Options& options);

Architecture deeplab_v1_architecture();
Architecture deeplab_v2_architecture();
Architecture deeplab_v3_architecture();
Architecture deeplab_v3plus_architecture();

}  // namespace segmentum
