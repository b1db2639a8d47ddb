// Sums of outer products of pixels: every channel of one value times every channel of another, for
// gradients of weights. Included once for each instruction set by the kernels.
#if defined(SEGMENTUM_CPU_OUTER_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_OUTER_PRODUCTS_INL_H_
#undef SEGMENTUM_CPU_OUTER_PRODUCTS_INL_H_
#else
#define SEGMENTUM_CPU_OUTER_PRODUCTS_INL_H_
#endif

#include <cstdint>

#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

// Channels of the first value that stay in registers, against up to kOuterVectors vectors of the
// second.
constexpr int kOuterRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;
constexpr int kOuterVectors = 3;

/// Pixels that meet: `height` rows of `width` results each, and their sources.
struct Meeting {
  const float* x;
  const float* dy;
  std::int64_t height, width;
  std::int64_t x_row, x_pixel;  // floats from one to the next
  std::int64_t dy_row, dy_block;
};

/// sums[r][0..Vectors*B) += the sum over the pixels of x[r] * dy[0..Vectors*B), for R channels of
/// x.
template <int B, int R, int Vectors>
HWY_INLINE void multiply_tile(const Meeting& m, float* sums, std::int64_t row) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    hn::Vec<Lanes<B>> sum[R][Vectors];
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::LoadU(d, sums + r * row + v * B + lane);
    }
    for (std::int64_t y = 0; y < m.height; ++y) {
      const float* x = m.x + y * m.x_row;
      const float* dy = m.dy + y * m.dy_row + lane;
      for (std::int64_t i = 0; i < m.width; ++i, x += m.x_pixel, dy += B) {
        hn::Vec<Lanes<B>> factor[Vectors];
        for (int v = 0; v < Vectors; ++v) factor[v] = hn::LoadU(d, dy + v * m.dy_block);
        for (int r = 0; r < R; ++r) {
          const auto value = hn::Set(d, x[r]);
          for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(value, factor[v], sum[r][v]);
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) hn::StoreU(sum[r][v], d, sums + r * row + v * B + lane);
    }
  });
}

/// R input channels against some blocks of output channels.
template <int B, int R>
void MultiplyChannels(Meeting m, std::int64_t blocks, float* sums, std::int64_t row) {
  const auto vectors = [&]<int Vectors>() {
    multiply_tile<B, R, Vectors>(m, sums, row);
    m.dy += Vectors * m.dy_block;
    sums += Vectors * B;
    return Vectors;
  };
  while (blocks >= kOuterVectors + 2 || blocks == kOuterVectors)
    blocks -= vectors.template operator()<kOuterVectors>();
  while (blocks >= 2) blocks -= vectors.template operator()<2>();
  if (blocks == 1) vectors.template operator()<1>();
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
