// MobileNetV3-Large: Howard et al., ICCV 2019; under torchvision's names.
#pragma once

#include "graph/graph.h"
#include "models/backbones/backbone.h"

namespace segmentum {

struct MobileNetV3Options {
  /// torchvision's dilated network has output stride 16 and the rule `every_block`.
  BackboneOptions common;
  int width = 16;  // channels of the first convolution; all others in proportion, in eights
};

struct MobileNetV3Features {
  BackboneFeatures levels;  // five: blocks 1, 3, 6, 12 and the last 1x1 convolution
  ValueId first_at_8;       // block 4: what torchvision's heads read as low-level features
};

/// A picture of any size from 1x1 up; each stride rounds sizes up. Batch norms have epsilon 1e-3
/// and momentum 0.01. Where channels shrink so far that two blocks have equal numbers of them, the
/// expansion or the shortcut comes and goes as in torchvision. Throws Error for an output stride
/// other than 8, 16 and 32.
MobileNetV3Features mobilenet_v3_backbone(GraphBuilder& g, ValueId image,
                                          const MobileNetV3Options& options);

}  // namespace segmentum
