#include "losses/class_probabilities.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "losses/softmax_kernel.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

Shape two_sided(const Shape& shape) {
  return {shape.n(), std::max<std::int64_t>(shape.c(), 2), shape.h(), shape.w()};
}

}  // namespace

ClassProbabilities::ClassProbabilities(ConstTensorView logits,
                                       std::span<const std::uint16_t> labels)
    : values_(two_sided(logits.shape)), labels_(labels), one_class_(logits.shape.c() == 1) {
  for_each_block(shape(), [&](std::int64_t n, std::int64_t first, int pixels) {
    const std::uint16_t* label = this->labels(n) + first;
    if (one_class_) {
      const float* z = logits.data + n * plane() + first;
      float* no = values_.data() + n * 2 * plane() + first;
      float* yes = no + plane();
      for (int i = 0; i < pixels; ++i) {
        const bool counts = label[i] != kIgnoreLabel;
        const float e = std::exp(-std::abs(z[i]));  // the exponent is never positive
        const float near = 1 / (1 + e), far = e / (1 + e);
        yes[i] = counts ? (z[i] >= 0 ? near : far) : 0;
        no[i] = counts ? (z[i] >= 0 ? far : near) : 0;
      }
      return;
    }
    const std::int64_t at = n * classes() * plane() + first;
    const PixelBlock<float> block{values_.data() + at, plane(), classes(), pixels};
    std::array<float, kBlockPixels> maximum, sum;
    softmax_sums({logits.data + at, plane(), classes(), pixels}, block, maximum.data(), sum.data());
    for (int i = 0; i < pixels; ++i) sum[i] = label[i] == kIgnoreLabel ? 0 : 1 / sum[i];
    scale_pixels(block, sum.data());
  });
}

void ClassProbabilities::add_gradient(const Tensor& slopes, TensorView gradient,
                                      float scale) const {
  for_each_block(shape(), [&](std::int64_t n, std::int64_t first, int pixels) {
    const std::int64_t at = n * classes() * plane() + first;
    const float* slope = slopes.data() + at;
    const float* p = values_.data() + at;
    if (one_class_) {
      float* to = gradient.data + n * plane() + first;
      for (int i = 0; i < pixels; ++i) {
        to[i] += scale * p[i] * p[i + plane()] * (slope[i + plane()] - slope[i]);
      }
      return;
    }
    // dL/dx_k = p_k (g_k - sum_j p_j g_j)
    std::array<float, kBlockPixels> mean{};
    for (int k = 0; k < classes(); ++k) {
      for (int i = 0; i < pixels; ++i) mean[i] += p[k * plane() + i] * slope[k * plane() + i];
    }
    float* to = gradient.data + at;
    for (int k = 0; k < classes(); ++k) {
      for (int i = 0; i < pixels; ++i) {
        to[k * plane() + i] += scale * p[k * plane() + i] * (slope[k * plane() + i] - mean[i]);
      }
    }
  });
}

}  // namespace segmentum
