// All channels of the result stay in registers for as many pixels as fit, while the channels of x
// go by once. oneDNN's kernel, made for many results, uses a fraction of its registers here.
#include "engine/cpu/kernels/narrow_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/narrow_product.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/channel_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have stretches too

constexpr std::int64_t kStretch = 32 * kProductPixels;  // that a thread takes at a time

void NarrowProduct(const View& x, const float* weights, const float* bias, const View& residual,
                   const Activation& activation, const View& y) {
  // Rows of a window lie apart.
  const bool by_rows = y.window() && y.frame_w != y.shape.w();
  const std::int64_t all = y.shape.h() * y.shape.w(), most = by_rows ? y.shape.w() : kStretch;
  const std::int64_t stretches = (all + most - 1) / most;
  with_block(x.block, [&](auto block) {
    constexpr int B = block;
    parallel_for(x.shape.n() * stretches, [&](std::int64_t item) {
      const std::int64_t n = item / stretches, stretch = item % stretches, first = stretch * most;
      const bool adds = residual.data != nullptr;
      Multiply<B>({.x = x.at(n, 0) + first * B,
                   .x_plane = x.plane(),
                   .channels = x.shape.c(),
                   .weights = weights,
                   .depth = x.shape.c(),
                   .first_channel = 0,
                   .start = bias,
                   .resumes = false,
                   .residual = adds ? residual.at(n, 0) + first * B : nullptr,
                   .residual_plane = adds ? residual.plane() : 0,
                   .activation = activation,
                   .y = by_rows ? y.at(n, 0, stretch) : y.at(n, 0) + first * B,
                   .y_plane = y.plane(),
                   .first_block = 0,
                   .end_block = y.blocks(),
                   .pixels = std::min(most, all - first)});
    });
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(NarrowProduct);

std::int64_t most_narrow_channels() {
  return 2 * vector_block();
}

void narrow_product(const View& x, const float* weights, const float* bias, const View& residual,
                    const Activation& activation, const View& y) {
  HWY_DYNAMIC_DISPATCH(NarrowProduct)(x, weights, bias, residual, activation, y);
}

}  // namespace segmentum::cpu
#endif
