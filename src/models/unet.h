// U-Net: Ronneberger, Fischer and Brox, MICCAI 2015.
#pragma once

#include "graph/graph.h"
#include "models/blocks.h"
#include "models/settings.h"

namespace segmentum {

struct UnetOptions {
  int input_channels = 3;
  int classes = 2;
  int width = 16;  // channels of the first level; each level below has twice as many
  int depth = 4;   // poolings
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
Graph build_unet(const UnetOptions& options);

Architecture unet_architecture();

}  // namespace segmentum
