// Fully convolutional networks: Long, Shelhamer and Darrell, CVPR 2015.
#pragma once

#include "graph/graph.h"
#include "models/backbones/vgg.h"
#include "models/settings.h"

namespace segmentum {

struct FcnOptions {
  int input_channels = 3;
  int classes = 2;
  int stride = 8;  // 32, 16 or 8: down to which level scores are fused
  VggOptions backbone;
  int fc_channels = 4096;
  Upsampling up = Upsampling::transpose;
  float dropout = 0.5f;
};

/// FCN-32s, -16s or -8s under the published names (fc6, score_fr, upscore2, fuse_pool4, ...).
/// Any H×W gives logits of H×W. Where we differ: the authors pad the picture by 100 so that an
/// unpadded 7x7 fc6 fits small pictures, and cut the surplus off by offsets; here fc6 is padded by
/// 3 and the picture to a multiple of 32, so that all scores meet at equal sizes, and the logits
/// are cropped once, at the end. Weights are interchangeable; values differ near the border.
/// Score layers start as random as all others: the authors' zeros are for a pretrained backbone.
Graph build_fcn(const FcnOptions& options);

/// FCN-32s, -16s or -8s on a VGG of settable width.
Architecture fcn_architecture(int stride);

}  // namespace segmentum
