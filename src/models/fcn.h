// Fully convolutional networks: Long, Shelhamer and Darrell, CVPR 2015.
#pragma once

#include <optional>

#include "graph/graph.h"
#include "models/backbones/vgg.h"
#include "models/settings.h"

namespace segmentum {

/// How the network makes room for fc6, an unpadded 7x7 in the classifier, on small pictures.
enum class FcnAlignment {
  centred,  // fc6 is padded by 3 and the picture to a multiple of 32: all scores meet at equal
            // sizes
  authors   // 100 zeros around the picture; scores are cropped where they lie on one another
};

/// Which score layers start at zero rather than random.
enum class FcnScoreStart {
  random,
  zero_skips,  // those of pool4 and pool3: the network starts as the next coarser one
  zero         // all of them, as the authors do on a pretrained backbone
};

struct FcnOptions {
  int input_channels = 3;
  int classes = 2;
  int stride = 8;  // 32, 16 or 8: down to which level scores are fused
  VggOptions backbone;
  int fc_channels = 4096;
  UpsampleOptions up;       // from level to level
  UpsampleOptions last_up;  // from the finest level to the picture
  FcnAlignment alignment = FcnAlignment::centred;
  FcnScoreStart score_start = FcnScoreStart::zero_skips;
  float dropout = 0.5f;
  std::optional<op::MeanField> crf;  // behind the scores
};

/// FCN-32s, -16s or -8s under the published names (fc6, score_fr, upscore2, fuse_pool4, ...), so
/// that weights go from one to the next: what a finer network adds is score_pool4 or score_pool3
/// and the upscore layers, which start as bilinear interpolation.
/// Any H×W gives logits of H×W. Both alignments have the same parameters; values differ near the
/// border, where one sees padded features and the other features of padding. Throws Error where
/// `authors` meets a bilinear upsampling that aligns corners: that has no fixed offset.
Graph build_fcn(const FcnOptions& options);

/// FCN-32s, -16s or -8s on a VGG of settable width; `size = published` is the paper's network.
Architecture fcn_architecture(int stride);

}  // namespace segmentum
