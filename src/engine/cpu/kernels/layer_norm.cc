// The channels of a pixel lie a plane apart, block by block. So a strip of pixels is walked block
// by block, with a vector of sums for each pixel, and again for each further pass, while its
// channels are still in the cache.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/layer_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t kStrip = 32;  // pixels: 96 KB of 768 channels

/// Pixels [first, first + count) of row y of picture n, and the number of the first of all.
struct Strip {
  std::int64_t n, y, first, count, pixel;
};

/// Calls body(strip) for the strips of every row, in parallel.
template <typename Body>
void for_strips(const View& x, const Body& body) {
  const std::int64_t h = x.shape.h(), w = x.shape.w(), strips = (w + kStrip - 1) / kStrip;
  parallel_for(x.shape.n() * h * strips, [&](std::int64_t i) {
    const std::int64_t row = i / strips, first = i % strips * kStrip;
    body(Strip{row / h, row % h, first, std::min(kStrip, w - first), row * w + first});
  });
}

/// Calls body(c, i, at) for every vector of a strip's pixels: its first channel, its pixel, and
/// where in a row of block `c / B` it lies.
template <int B, typename Body>
HWY_INLINE void for_vectors(std::int64_t blocks, const Strip& strip, const Body& body) {
  for (std::int64_t cb = 0; cb < blocks; ++cb) {
    for (std::int64_t i = 0; i < strip.count; ++i) {
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        body(cb, i, (strip.first + i) * B + static_cast<std::int64_t>(lane), lane);
      });
    }
  }
}

using OfPixels = std::array<float, kStrip>;

/// Vectors of sums, one for each pixel of a strip.
template <int B>
struct PixelSums {
  HWY_ALIGN float lanes[kStrip * B] = {};

  template <class D, class V = hn::Vec<D>>
  HWY_INLINE void add(D d, std::int64_t i, std::size_t lane, V v) {
    float* sum = lanes + i * B + lane;
    hn::StoreU(hn::Add(hn::LoadU(d, sum), v), d, sum);
  }
  /// The sum of each pixel's lanes, divided.
  OfPixels over(std::int64_t divisor) const {
    OfPixels result{};
    for (std::int64_t i = 0; i < kStrip; ++i) {
      float sum = 0;
      for (int lane = 0; lane < B; ++lane) sum += lanes[i * B + lane];
      result[i] = sum / static_cast<float>(divisor);
    }
    return result;
  }
};

/// Ones for channels that there are, zeros for those that pad the last block.
template <int B>
class UsedChannels {
 public:
  explicit UsedChannels(const View& x) : last_(x.blocks() - 1) {
    for (int c = 0; c < B; ++c) {
      all_[c] = 1;
      some_[c] = last_ * B + c < x.shape.c() ? 1.0f : 0.0f;
    }
  }
  const float* of(std::int64_t cb) const { return cb == last_ ? some_ : all_; }

 private:
  std::int64_t last_;
  float all_[B], some_[B];
};

template <int B>
void LayerNormOf(const View& x, float epsilon, const LayerNormArrays& arrays, const View& y) {
  const std::int64_t blocks = x.blocks(), channels = x.shape.c();
  const UsedChannels<B> used(x);
  for_strips(x, [&](const Strip& strip) HWY_ATTR {
    const Lanes<B> d;
    const auto row = [&](const View& v, std::int64_t cb) { return v.at(strip.n, cb, strip.y); };
    PixelSums<B> sums, squares;
    for_vectors<B>(blocks, strip, [&](auto cb, auto i, auto at, auto lane) HWY_ATTR {
      sums.add(d, i, lane, hn::LoadU(d, row(x, cb) + at));
    });
    const OfPixels mean = sums.over(channels);
    for_vectors<B>(blocks, strip, [&](auto cb, auto i, auto at, auto lane) HWY_ATTR {
      const auto offset = hn::Mul(hn::Sub(hn::LoadU(d, row(x, cb) + at), hn::Set(d, mean[i])),
                                  hn::LoadU(d, used.of(cb) + lane));
      squares.add(d, i, lane, hn::Mul(offset, offset));
    });
    OfPixels inverse = squares.over(channels);
    for (float& variance : inverse) variance = 1.0f / std::sqrt(variance + epsilon);
    for_vectors<B>(blocks, strip, [&](auto cb, auto i, auto at, auto lane) HWY_ATTR {
      const std::int64_t c = cb * B + static_cast<std::int64_t>(lane);
      const auto offset = hn::Sub(hn::LoadU(d, row(x, cb) + at), hn::Set(d, mean[i]));
      const auto standard = hn::Mul(offset, hn::Set(d, inverse[i]));
      hn::StoreU(
          hn::MulAdd(standard, hn::LoadU(d, arrays.weight + c), hn::LoadU(d, arrays.bias + c)), d,
          row(y, cb) + at);
    });
    if (arrays.mean == nullptr) return;
    std::copy_n(mean.begin(), strip.count, arrays.mean + strip.pixel);
    std::copy_n(inverse.begin(), strip.count, arrays.inverse_deviation + strip.pixel);
  });
}

/// dx = inverse_deviation * (h - mean(h) - s * mean(h * s)), s the normalised x and h = dy *
/// weight; weights of padded channels are zero.
template <int B>
void InputGradient(const View& x, const View& dy, const LayerNormArrays& arrays, const View& dx,
                   bool add) {
  const std::int64_t blocks = x.blocks(), channels = x.shape.c();
  const UsedChannels<B> used(x);
  for_strips(x, [&](const Strip& strip) HWY_ATTR {
    const Lanes<B> d;
    const float* mean = arrays.mean + strip.pixel;
    const float* inverse = arrays.inverse_deviation + strip.pixel;
    const auto row = [&](const View& v, std::int64_t cb) { return v.at(strip.n, cb, strip.y); };
    const auto standard = [&](auto cb, auto i, auto at) HWY_ATTR {
      const auto offset = hn::Sub(hn::LoadU(d, row(x, cb) + at), hn::Set(d, mean[i]));
      return hn::Mul(offset, hn::Set(d, inverse[i]));
    };
    const auto scaled = [&](auto cb, auto at, auto lane) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, row(dy, cb) + at),
                     hn::LoadU(d, arrays.weight + cb * B + static_cast<std::int64_t>(lane)));
    };
    PixelSums<B> sums, products;
    for_vectors<B>(blocks, strip, [&](auto cb, auto i, auto at, auto lane) HWY_ATTR {
      const auto h = scaled(cb, at, lane);
      sums.add(d, i, lane, h);
      products.add(d, i, lane, hn::Mul(h, standard(cb, i, at)));
    });
    const OfPixels mean_h = sums.over(channels), mean_hs = products.over(channels);
    for_vectors<B>(blocks, strip, [&](auto cb, auto i, auto at, auto lane) HWY_ATTR {
      const auto h = hn::Sub(scaled(cb, at, lane), hn::Set(d, mean_h[i]));
      auto value = hn::NegMulAdd(standard(cb, i, at), hn::Set(d, mean_hs[i]), h);
      value = hn::Mul(value, hn::Mul(hn::Set(d, inverse[i]), hn::LoadU(d, used.of(cb) + lane)));
      float* to = row(dx, cb) + at;
      if (add) value = hn::Add(value, hn::LoadU(d, to));
      hn::StoreU(value, d, to);
    });
  });
}

/// A block of channels belongs to one thread, so the sums over pixels are taken in one order: in
/// single precision along a row, in double over rows.
template <int B>
void ParameterGradients(const View& x, const View& dy, const LayerNormArrays& arrays,
                        float* weight_gradient, float* bias_gradient) {
  const std::int64_t h = x.shape.h(), w = x.shape.w();
  parallel_for(x.blocks(), [&](std::int64_t cb) HWY_ATTR {
    const Lanes<B> d;
    double weights[B] = {}, biases[B] = {};
    for (std::int64_t row = 0; row < x.shape.n() * h; ++row) {
      const float* in = x.at(row / h, cb, row % h);
      const float* gradient = dy.at(row / h, cb, row % h);
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        auto weight = hn::Zero(d), bias = hn::Zero(d);
        for (std::int64_t i = 0; i < w; ++i) {
          const auto g = hn::LoadU(d, gradient + i * B + lane);
          const auto offset =
              hn::Sub(hn::LoadU(d, in + i * B + lane), hn::Set(d, arrays.mean[row * w + i]));
          bias = hn::Add(bias, g);
          weight = hn::MulAdd(g, hn::Mul(offset, hn::Set(d, arrays.inverse_deviation[row * w + i])),
                              weight);
        }
        HWY_ALIGN float sums[2 * HWY_MAX_BYTES / sizeof(float)];
        const std::size_t lanes = hn::Lanes(d);
        hn::StoreU(weight, d, sums);
        hn::StoreU(bias, d, sums + lanes);
        for (std::size_t k = 0; k < lanes; ++k) {
          weights[lane + k] += sums[k];
          biases[lane + k] += sums[lanes + k];
        }
      });
    }
    for (std::int64_t c = cb * B; c < std::min((cb + 1) * B, x.shape.c()); ++c) {
      weight_gradient[c] += static_cast<float>(weights[c - cb * B]);
      bias_gradient[c] += static_cast<float>(biases[c - cb * B]);
    }
  });
}

void LayerNorm(const View& x, float epsilon, const LayerNormArrays& arrays, const View& y) {
  with_block(x.block, [&](auto block) { LayerNormOf<block>(x, epsilon, arrays, y); });
}

void LayerNormBackward(const View& x, const View& dy, const LayerNormArrays& arrays,
                       float* weight_gradient, float* bias_gradient, const View& dx, bool add) {
  with_block(x.block, [&](auto block) {
    ParameterGradients<block>(x, dy, arrays, weight_gradient, bias_gradient);
    if (dx.data != nullptr) InputGradient<block>(x, dy, arrays, dx, add);
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(LayerNorm);
HWY_EXPORT(LayerNormBackward);

void layer_norm(const View& x, float epsilon, const LayerNormArrays& arrays, const View& y) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x, epsilon, arrays, y);
}

void layer_norm_backward(const View& x, const View& dy, const LayerNormArrays& arrays,
                         float* weight_gradient, float* bias_gradient, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(LayerNormBackward)
  (x, dy, arrays, weight_gradient, bias_gradient, dx, add);
}

}  // namespace segmentum::cpu
#endif
