// Three networks of segmentation_models.pytorch, under the names of its checkpoints.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "models/settings.h"

namespace segmentum {

struct SmpOptions {
  int input_channels = 3;
  int classes = 1;
  int encoder_layers = 34;  // of the ResNet: 18, 34, 50 or 101
  int width = 64;           // channels of the first convolution; all others in proportion
  int output_stride = 16;   // DeepLab: 8 or 16
  float dropout = 0.5f;     // DeepLab: after the pyramid
};

// With width 64 the parameters are those of the checkpoints by name and shape. Dilated stages
// follow `DilationRule::every_block`, and DeepLab's scores and features are magnified with
// align_corners, both unlike torchvision.

/// U-Net on a ResNet: five blocks, each nearest-neighbour x2, cut to the size of the skip
/// connection, joined to it, two 3x3 convolutions of 256, 128, 64, 32, 16 channels. Any H×W, with
/// PyTorch's values: on an odd size n its nearest resize from ceil(n/2) is x2 without the last.
Graph build_smp_unet(const SmpOptions& options);

/// DeepLab v3: atrous pyramid of rates 12, 24, 36 and a 3x3 convolution. smp takes multiples of the
/// output stride only; other pictures are mirrored at the bottom and the right up to the next one,
/// and the logits cropped.
Graph build_smp_deeplabv3(const SmpOptions& options);

/// DeepLab v3+: the pyramid is separable, its result is magnified to stride 4, joined to 48
/// channels made of layer1, and goes through a separable 3x3. Sizes as for DeepLab v3.
/// Chen, Zhu, Papandreou, Schroff and Adam, ECCV 2018.
Graph build_smp_deeplabv3plus(const SmpOptions& options);

/// smp_unet, smp_deeplabv3plus, smp_deeplabv3.
std::vector<Architecture> smp_architectures();

}  // namespace segmentum
