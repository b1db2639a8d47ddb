// What others call a network's parameters, where that is not what we call them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "interop/checkpoint.h"

namespace segmentum {

/// Where the numbers of a parameter stand in a checkpoint.
struct ForeignTensor {
  std::string name;
  std::string minus = "";  // a tensor to subtract from it; empty: none
};

/// One way to read a checkpoint's names.
struct ForeignNames {
  std::string whose;              // for people: "a ResNet classifier"; empty: names are ours
  bool of_classifier = false;     // the checkpoint can fill a network's backbone at most
  std::vector<std::string> left;  // a classifier's own: how names of tensors of no use begin
  /// Nothing for a parameter outside of the backbone that a classifier can fill.
  std::function<std::optional<ForeignTensor>(const std::string& parameter)> tensor_of;

  /// Names as they are.
  static ForeignNames ours();
};

/// The ways in which the names of `checkpoint` can be read: first as they are; then, told by a few
/// of its names,
/// - ImageNet classifiers of torchvision (timm's ResNet and VGG are called alike) as the backbone
///   "backbone." or "encoder." of a network, or as VGG under the names of its paper. There a
///   convolution before a batch norm has no bias: the running mean takes the classifier's up.
/// - DeepLabV3 of older versions of segmentation_models.pytorch, whose decoder is numbered.
std::vector<ForeignNames> foreign_names(const Checkpoint& checkpoint);

}  // namespace segmentum
