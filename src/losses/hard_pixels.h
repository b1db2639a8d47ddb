// Online hard example mining: which pixels a network does not know yet.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace segmentum {

/// The labels of a batch, kIgnoreLabel where a pixel is easy. Hard are pixels whose true class has
/// a probability of at most `threshold`, and where these are fewer than a part `least_share` of the
/// labelled pixels, so many of those with the lowest probabilities (equals together). A threshold
/// of 0 leaves the share alone: top-k. `logits` [N,K,H,W], or [N,1,H,W] of a one-class head.
/// Shrivastava, Gupta and Girshick, CVPR 2016; Wu, Shen and van den Hengel, arXiv:1605.06885, who
/// introduced it for segmentation. Throws Error unless both lie in [0, 1]. O(N*K*H*W).
std::vector<std::uint16_t> hard_labels(ConstTensorView logits,
                                       std::span<const std::uint16_t> labels, double threshold,
                                       double least_share);

}  // namespace segmentum
