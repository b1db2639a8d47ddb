// The product of pixels and channels in blocked layout, with what comes before and after it: the
// core of 1x1 convolutions, alone or beside others. Included once for each instruction set.
#if defined(SEGMENTUM_CPU_CHANNEL_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_CHANNEL_PRODUCT_INL_H_
#undef SEGMENTUM_CPU_CHANNEL_PRODUCT_INL_H_
#else
#define SEGMENTUM_CPU_CHANNEL_PRODUCT_INL_H_
#endif

#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <cstdint>
#include <limits>

#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// y = activation(start + x * weights + residual) for `pixels` that lie one after another in all
/// three. A result is summed channel by channel, whatever it is computed beside and however often
/// its sum is put down in y and taken up again.
struct ChannelProduct {
  const float* x;
  std::int64_t x_plane;   // floats from one block of channels to the next
  std::int64_t channels;  // of x; those that pad its last block are left out
  const float* weights;   // [pair of blocks of y][depth][2][B]; the last may be a single block
  std::int64_t depth;
  std::int64_t first_channel;  // of the depth: that of x's first
  const float* start;          // [blocks][B]; null: from zero, or from y
  bool resumes;                // from what y holds
  const float* residual;       // as y; or null
  std::int64_t residual_plane;
  Activation activation;
  float* y;
  std::int64_t y_plane;
  std::int64_t first_block, end_block;  // of y, from an even one on
  std::int64_t pixels;
};

/// Pixels of the product held in registers, times two vectors of channels.
constexpr int kProductPixels = HWY_TARGET <= HWY_AVX3 ? 14 : 6;

/// relu and relu6 by two bounds.
constexpr bool is_clipped(ActivationKind kind) {
  return kind == ActivationKind::relu || kind == ActivationKind::relu6;
}

/// sum[r][v] += x[r] * weight[v] for one channel.
template <int B, int R, int Vectors, class V>
HWY_INLINE void add_channel(const float* x, const float* weight, V (&sum)[R][Vectors]) {
  const Lanes<B> d;
  V factor[Vectors];
  for (int v = 0; v < Vectors; ++v) factor[v] = hn::LoadU(d, weight + v * B);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const V value = hn::Set(d, x[r * B]);
    for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(value, factor[v], sum[r][v]);
  }
}

/// R pixels from number `pixel` on, `Vectors` blocks from `ob` on.
template <int B, int R, int Vectors>
HWY_INLINE void multiply_pixels(const ChannelProduct& p, std::int64_t ob, std::int64_t pixel) {
  const float* panel = p.weights + (ob * p.depth + p.first_channel * Vectors) * B;
  const std::int64_t at = ob * p.y_plane + pixel * B;
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    using V = hn::Vec<Lanes<B>>;
    V sum[R][Vectors];
    float* y = p.y + at + lane;
    if (p.resumes) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::LoadU(d, y + v * p.y_plane + r * B);
      }
    } else {
      V start[Vectors];
      for (int v = 0; v < Vectors; ++v) {
        start[v] = p.start == nullptr ? hn::Zero(d) : hn::LoadU(d, p.start + (ob + v) * B + lane);
      }
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < Vectors; ++v) sum[r][v] = start[v];
      }
    }
    // Asked for before they are needed: what this tile writes, and with each block of channels
    // what the next tile reads of it.
    for (int v = 0; v < Vectors; ++v) {
      for (int r = 0; r < R; ++r) hwy::Prefetch(y + v * p.y_plane + r * B);
    }
    const float* weight = panel + lane;
    const float* in = p.x + pixel * B;
    std::int64_t left = p.channels;
    for (; left >= B; left -= B, in += p.x_plane, weight += B * Vectors * B) {
      for (int r = 0; r < R; ++r) hwy::Prefetch(in + (R + r) * B);
#pragma GCC unroll 4
      for (int c = 0; c < B; ++c) add_channel<B>(in + c, weight + c * Vectors * B, sum);
    }
    for (int c = 0; c < left; ++c) add_channel<B>(in + c, weight + c * Vectors * B, sum);
    if (p.residual != nullptr) {
      const float* plus = p.residual + ob * p.residual_plane + pixel * B + lane;
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < Vectors; ++v) {
          sum[r][v] = hn::Add(sum[r][v], hn::LoadU(d, plus + v * p.residual_plane + r * B));
        }
      }
    }
    if (is_clipped(p.activation.kind)) {
      const V zero = hn::Zero(d);
      const V most = hn::Set(d, p.activation.kind == ActivationKind::relu6
                                    ? 6.0f
                                    : std::numeric_limits<float>::infinity());
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::Min(hn::Max(sum[r][v], zero), most);
      }
    } else if (p.activation.kind != ActivationKind::none) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) activate_vectors<Vectors>(d, p.activation, sum[r]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) hn::StoreU(sum[r][v], d, y + v * p.y_plane + r * B);
    }
  });
}

template <int B, int Vectors>
void MultiplyBlocks(const ChannelProduct& p, std::int64_t ob) {
  std::int64_t pixel = 0;
  const auto multiply = [&]<int R>() {
    for (; pixel + R <= p.pixels; pixel += R) multiply_pixels<B, R, Vectors>(p, ob, pixel);
  };
  multiply.template operator()<kProductPixels>();
  multiply.template operator()<kProductPixels / 2>();
  multiply.template operator()<2>();
  multiply.template operator()<1>();
}

template <int B>
void Multiply(const ChannelProduct& p) {
  for (std::int64_t ob = p.first_block; ob < p.end_block; ob += 2) {
    ob + 1 < p.end_block ? MultiplyBlocks<B, 2>(p, ob) : MultiplyBlocks<B, 1>(p, ob);
  }
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
