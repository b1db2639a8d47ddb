// How wrong the logits are, and in which direction they should move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "losses/loss_terms.h"
#include "tensor/tensor.h"

namespace segmentum {

struct LossOptions {
  std::vector<float>
      class_weights;    // empty: all one; else one for each class (2 for a one-class head)
  bool boxes = false;   // the labels are those of boxes: see box_loss.h
  LossTerms terms{{}};  // what is added up; cross entropy alone
  double focal_gamma = 2;
  double tversky_alpha = 0.3;   // price of what is invented
  double tversky_beta = 0.7;    // price of what is missed
  double hard_threshold = 0.7;  // of ohem: a true class below this probability is hard
  double hard_share = 0.25;     // of ohem at least, of top_k just this part of the pixels
};

/// What the logits of a batch should say. Labels alone become targets by themselves.
struct Targets {
  std::span<const std::uint16_t> labels;      // N*H*W: 0..K-1 or kIgnoreLabel
  std::span<const float> added_weights = {};  // N*H*W, >= 0: a pixel weighs w[y] + this; or none

  Targets(std::span<const std::uint16_t> given, std::span<const float> added = {})
      : labels(given), added_weights(added) {}
  Targets(const std::vector<std::uint16_t>& given) : labels(given) {}
};

/// The value of a loss and over how many pixels it was taken.
struct LossResult {
  double value = 0;
  std::int64_t pixels = 0;  // labelled, not ignored
};

/// Softmax cross entropy: sum(w * -log p[y]) / sum(w) over labelled pixels, as PyTorch's, where a
/// pixel's weight w is that of its class plus what `targets` add. `logits` [N,K,H,W]; writes
/// `scale` * dLoss/dLogits to `gradient` (same shape; empty data: not wanted). Ignored pixels get
/// gradient 0; no labelled pixel: 0. Same bits for any thread count. O(N*K*H*W).
LossResult cross_entropy(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                         TensorView gradient, float scale = 1.0f);

/// One-class head: `logits` [N,1,H,W], labels 0, 1 or kIgnoreLabel; binary cross entropy with
/// logits, weighted likewise.
LossResult binary_cross_entropy(ConstTensorView logits, const Targets& targets,
                                const LossOptions& options, TensorView gradient,
                                float scale = 1.0f);

/// Focal loss: cross entropy, binary for one channel, whose terms -log p are multiplied by
/// (1 - p)^gamma for the probability p of the true class; weighted like it.
/// Lin et al., "Focal loss for dense object detection", ICCV 2017, who sum over pixels and divide
/// by the number of objects.
LossResult focal_loss(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                      TensorView gradient, float scale = 1.0f);

/// The sum of `options.terms` as fits the head, one channel or more; that of boxes if asked for.
/// Weights of classes and pixels count in cross entropy, focal, ohem and top_k; the others weigh
/// each class alike as they are (region_losses.h). `pixels` are those of the first term that sums
/// over pixels (of ohem and top_k the hard ones), or else the labelled ones.
LossResult segmentation_loss(ConstTensorView logits, const Targets& targets,
                             const LossOptions& options, TensorView gradient, float scale = 1.0f);

/// Bytes that `segmentation_loss` takes at least beside logits [N,K,H,W] and their gradient.
std::size_t loss_bytes(const LossOptions& options, const Shape& logits);

}  // namespace segmentum
