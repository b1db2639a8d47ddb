// How wrong the logits of a network on boxes are: of each crop only its object's channel is asked.
#pragma once

#include <cstdint>
#include <span>

#include "losses/loss.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Binary cross entropy, the mean over the labelled pixels of the batch. `logits` [N,K,H,W];
/// `labels` N*H*W, each `box_label(k, in_object)` (image/box.h) or kIgnoreLabel: channel k is
/// compared, the others of that pixel have no part and gradient 0. Otherwise as
/// `binary_cross_entropy`, which it is for K = 1. O(N*K*H*W).
LossResult box_loss(ConstTensorView logits, std::span<const std::uint16_t> labels,
                    TensorView gradient, float scale = 1.0f);

}  // namespace segmentum
