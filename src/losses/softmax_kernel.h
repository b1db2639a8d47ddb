// The inner loops of the softmax loss: exponentials over blocks of neighbouring pixels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/threads.h"
#include "tensor/shape.h"

namespace segmentum {

/// Pixels that one thread computes at once: 512 of 21 classes fit the L2 cache. Sums of blocks that
/// are added in the order of the blocks have bits that do not depend on who computed them.
inline constexpr int kBlockPixels = 512;

/// Calls body(n, first pixel, pixels) for blocks of all pictures of [N,K,H,W], on many threads.
template <typename Body>
void for_each_block(const Shape& shape, const Body& body) {
  const std::int64_t plane = shape.h() * shape.w();
  const std::int64_t blocks = (plane + kBlockPixels - 1) / kBlockPixels;
  parallel_for(shape.n() * blocks, [&](std::int64_t i) {
    const std::int64_t first = i % blocks * kBlockPixels;
    body(i / blocks, first, static_cast<int>(std::min<std::int64_t>(kBlockPixels, plane - first)));
  });
}

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
