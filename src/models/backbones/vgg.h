// VGG: Simonyan and Zisserman, ICLR 2015; of any width, under the published names.
#pragma once

#include <array>

#include "graph/graph.h"
#include "models/blocks.h"

namespace segmentum {

struct VggOptions {
  std::array<int, 5> channels{64, 128, 256, 512, 512};
  std::array<int, 5> convs{2, 2, 3, 3, 3};  // 3x3 convolutions in each block: VGG-16
  Norm norm = Norm::none;
};

/// Features at strides 8, 16 and 32.
struct VggTaps {
  ValueId pool3;
  ValueId pool4;
  ValueId pool5;
};

/// conv1_1 ... pool5 on `x`; sizes should be multiples of 32, or poolings lose the last pixels.
VggTaps vgg_backbone(GraphBuilder& g, ValueId x, const VggOptions& options);

}  // namespace segmentum
