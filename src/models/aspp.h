// Atrous spatial pyramid pooling: Chen, Papandreou, Schroff and Adam, 2017 (DeepLab v3).
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

struct AsppOptions {
  int channels = 256;  // of every branch and of the result
  std::vector<int> rates{12, 24, 36};
  bool separable = false;  // atrous branches as depthwise 3x3 and 1x1: DeepLab v3+
  bool image_pooling = true;
  float dropout = 0.5f;  // after the projection
};

/// A 1x1 convolution, one 3x3 for each rate, and the mean over the whole plane, side by side, each
/// with batch norm and ReLU, the mean only with `image_pooling`; joined and projected to `channels`
/// by a 1x1 convolution. Names as in torchvision: NAME.convs.0 (1x1), NAME.convs.1 ... (rates), the
/// next (mean), NAME.project; separable branches as in segmentation_models.pytorch, one level
/// deeper: NAME.convs.1.0.0 depthwise, NAME.convs.1.0.1 pointwise, NAME.convs.1.1 batch norm.
ValueId aspp(GraphBuilder& g, const std::string& name, ValueId x, const AsppOptions& options);

}  // namespace segmentum
