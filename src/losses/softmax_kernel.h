// The inner loops of the softmax loss: exponentials over blocks of neighbouring pixels.
#pragma once

#include <cstdint>

namespace segmentum {

/// A run of `pixels` neighbouring pixels in each of `classes` planes that lie `plane` numbers
/// apart.
template <typename T>
struct PixelBlock {
  T* data = nullptr;
  std::int64_t plane = 0;
  int classes = 0;
  int pixels = 0;
};

/// For each pixel: maximum = max over k of x[k], sum = the sum over k of exp(x[k] - maximum), and
/// these exponentials themselves in `exponentials` (empty data: not wanted). NaN stays NaN.
void softmax_sums(PixelBlock<const float> logits, PixelBlock<float> exponentials, float* maximum,
                  float* sum);

/// values[k][i] *= factor[i], and 0 where the factor is 0, whatever the value was.
void scale_pixels(PixelBlock<float> values, const float* factor);

}  // namespace segmentum
