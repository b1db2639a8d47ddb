// U-Net: Ronneberger, Fischer and Brox, MICCAI 2015.
#pragma once

#include "graph/graph.h"
#include "models/blocks.h"
#include "models/settings.h"

namespace segmentum {

/// What a level is made of.
enum class UnetBlock {
  conv3x3,  // as published: 3x3 twice, after a pooling; up by a 2x2 transposed convolution
  patch     // 2x2 of stride 2 twice, without overlap: a quarter of the size, and no pooling
};

struct UnetOptions {
  int input_channels = 3;
  int classes = 2;
  int width = 16;  // channels of the first level; each level below has twice as many
  int depth = 4;   // poolings, or blocks of patches
  UnetBlock block = UnetBlock::conv3x3;
  Norm norm = Norm::batch;
  Upsampling up = Upsampling::transpose;  // 2x2 as published; the others and a 3x3 convolution
  bool overlapping_up = false;  // transpose: 4x4 for each channel, starting as bilinear, and 3x3
  bool align_corners = false;   // bilinear
  bool valid_padding = false;   // as published: unpadded convolutions on a mirrored frame
  float dropout = 0;            // after the lowest level
  bool auxiliary_head = false;
};

/// The mirrored frame that unpadded convolutions use up, and the sizes at which every pooling meets
/// an even one: 92 pixels and 16 n + 12 for the published network.
op::Pad overlap_padding(const UnetOptions& options);

/// Any H×W gives logits of H×W: the picture is padded at the bottom and at the right to what the
/// poolings need (and all around for `valid_padding`), and the logits are cropped back.
/// Node names: encoder.0 (top) ... encoder.DEPTH, decoder.DEPTH-1 ... decoder.0, head.
///
/// With UnetBlock::patch every encoder block from encoder.1 on is 2x2 convolutions of stride 2 with
/// LeakyReLU(0.1), twice, so that a level has a quarter of the size of the one above; every decoder
/// block is the same with transposed convolutions, four times the size, then the level's features
/// are concatenated: at the top, where no block is, the picture itself. Throws Error for more than
/// five of these, and with `valid_padding` or another `up`: its windows meet no border.
Graph build_unet(const UnetOptions& options);

Architecture unet_architecture();

/// The same network with other defaults: those of the paper.
Architecture published_unet_architecture();

}  // namespace segmentum
