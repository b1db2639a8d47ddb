// The segmentation networks of torchvision 0.14, under the names of its checkpoints.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "models/settings.h"

namespace segmentum {

enum class TorchvisionBackbone { resnet50, resnet101, mobilenet_v3_large };

struct TorchvisionOptions {
  int input_channels = 3;
  int classes = 21;
  TorchvisionBackbone backbone = TorchvisionBackbone::resnet50;
  int width = 64;         // channels of the first convolution (MobileNetV3: 16); all others follow
  int output_stride = 8;  // of the backbone (MobileNetV3: 16)
  bool auxiliary_head = true;
  float dropout = 0.5f;  // before the last convolution of FCN, after the pyramid of DeepLab
};

// Any H×W gives logits of H×W, equal to PyTorch's: strides round sizes up, and the logits are
// resized to the picture's size, half-pixel centred. With published widths and output strides the
// parameters are those of the checkpoints by name and shape. "aux" comes from layer3 (ResNet) or
// from the first block at stride 8 (MobileNetV3).

/// fcn_resnet50, fcn_resnet101: a 3x3 and a 1x1 convolution on the last features.
Graph build_torchvision_fcn(const TorchvisionOptions& options);

/// deeplabv3_resnet50, deeplabv3_resnet101, deeplabv3_mobilenet_v3_large: atrous pyramid of rates
/// 12, 24, 36 at any output stride (the paper has half of them at stride 16), 3x3, 1x1. torchvision
/// has no multi-grid.
Graph build_torchvision_deeplabv3(const TorchvisionOptions& options);

/// lraspp_mobilenet_v3_large: the last features times a factor that their mean decides, and scores
/// from them and from the features at stride 8 added. No auxiliary head, no dropout.
/// Howard et al., ICCV 2019, section 6.4. Throws Error for another backbone.
Graph build_lraspp(const TorchvisionOptions& options);

/// All six, called as torchvision's functions.
std::vector<Architecture> torchvision_architectures();

}  // namespace segmentum
