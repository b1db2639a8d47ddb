// Grouped convolutions whose groups fill no vectors, run as ones of fewer, wider groups: with
// weights of zero between channels that do not meet. A few useless products are far cheaper than
// oneDNN's matrix products of a few channels each, whose sums go by the picture's size besides.
#pragma once

#include "engine/cpu/conv_geometry.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {

/// How many groups become one: as few as fill blocks of channels on both sides, else all.
class JoinedGroups {
 public:
  JoinedGroups() = default;  // each alone
  JoinedGroups(const ConvGeometry& geometry, int block);

  /// The convolution that runs.
  ConvGeometry joined(ConvGeometry geometry) const;
  /// use(weights of the convolution that runs)
  template <typename Use>
  void with_weights(const float* parameter, const Use& use) const {
    if (together_ == 1) return use(parameter);
    use(weights(parameter).data());
  }

 private:
  Tensor weights(const float* parameter) const;

  int together_ = 1;
  std::int64_t results_ = 0, read_ = 0, taps_ = 0, groups_ = 0;  // of one group as it is written
};

}  // namespace segmentum::cpu
