// Probabilities of a batch and the way back to its logits, for losses that are about whole regions.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace segmentum {

/// p [N,K,H,W] of logits [N,K,H,W] by softmax; of a one-class head [N,1,H,W] both sides of its
/// sigmoid, as two classes. 0 wherever the label is ignored, whatever the logits are there.
class ClassProbabilities {
 public:
  /// Labels N*H*W, 0..K-1 (0 and 1 of a one-class head) or kIgnoreLabel; what they are is not
  /// checked here.
  ClassProbabilities(ConstTensorView logits, std::span<const std::uint16_t> labels);

  std::int64_t images() const { return values_.shape().n(); }
  int classes() const { return static_cast<int>(values_.shape().c()); }
  std::int64_t plane() const { return values_.shape().h() * values_.shape().w(); }
  int height() const { return static_cast<int>(values_.shape().h()); }
  int width() const { return static_cast<int>(values_.shape().w()); }
  const Shape& shape() const { return values_.shape(); }
  std::span<const std::uint16_t> labels() const { return labels_; }
  const std::uint16_t* labels(std::int64_t n) const { return labels_.data() + n * plane(); }
  /// The plane of class k of picture n.
  const float* of(std::int64_t n, int k) const {
    return values_.data() + (n * classes() + k) * plane();
  }

  /// Adds `scale` * dL/dlogits to `gradient` for `slopes` = dL/dp, of this shape.
  void add_gradient(const Tensor& slopes, TensorView gradient, float scale) const;

 private:
  Tensor values_;
  std::span<const std::uint16_t> labels_;
  bool one_class_ = false;
};

}  // namespace segmentum
