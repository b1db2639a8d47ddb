// How wrong the logits are, and in which direction they should move.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace segmentum {

struct LossOptions {
  std::vector<float>
      class_weights;  // empty: all one; else one for each class (2 for a one-class head)
};

/// The value of a loss and over how many pixels it was taken.
struct LossResult {
  double value = 0;
  std::int64_t pixels = 0;  // labelled, not ignored
};

/// Softmax cross entropy: sum(w[y] * -log p[y]) / sum(w[y]) over labelled pixels, as PyTorch's.
/// `logits` [N,K,H,W]; `labels` N*H*W, 0..K-1 or kIgnoreLabel; writes `scale` * dLoss/dLogits to
/// `gradient` (same shape; empty data: not wanted). Ignored pixels get gradient 0; no labelled
/// pixel: 0. Same bits for any thread count. O(N*K*H*W).
LossResult cross_entropy(ConstTensorView logits, std::span<const std::uint16_t> labels,
                         const LossOptions& options, TensorView gradient, float scale = 1.0f);

/// One-class head: `logits` [N,1,H,W], labels 0, 1 or kIgnoreLabel; binary cross entropy with
/// logits.
LossResult binary_cross_entropy(ConstTensorView logits, std::span<const std::uint16_t> labels,
                                const LossOptions& options, TensorView gradient,
                                float scale = 1.0f);

/// The loss that fits the head: binary for one channel, softmax for more.
LossResult segmentation_loss(ConstTensorView logits, std::span<const std::uint16_t> labels,
                             const LossOptions& options, TensorView gradient, float scale = 1.0f);

}  // namespace segmentum
