// Weights of a 3x3 convolution to Winograd's frequencies, a pair of result blocks and some channels
// at a time: included once for each instruction set by the kernel.
#if defined(SEGMENTUM_CPU_WINOGRAD_WEIGHTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_WINOGRAD_WEIGHTS_INL_H_
#undef SEGMENTUM_CPU_WINOGRAD_WEIGHTS_INL_H_
#else
#define SEGMENTUM_CPU_WINOGRAD_WEIGHTS_INL_H_
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/winograd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// Weights as they are, of a convolution from `ic` to `oc` channels.
struct PlainWeights {
  const float* data;
  std::int64_t ic, oc;
  bool turned;  // [ic, oc, 3, 3] of another convolution, whose input's gradient this one gives

  const float* at(std::int64_t o, std::int64_t i) const {
    return data + 9 * (turned ? i * oc + o : o * ic + i);
  }
};

/// out[column * apart + row] = in[row * stride + column]
inline void Transpose(const float* in, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                      float* out, std::int64_t apart) {
  const auto one_by_one = [&](std::int64_t row, std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) out[j * apart + row] = in[row * stride + j];
  };
  std::int64_t row = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const hn::RepartitionToWide<decltype(d)> pairs;
  for (; row + 4 <= rows; row += 4) {
    const float* from = in + row * stride;
    float* to = out + row;
    std::int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      const auto a = hn::LoadU(d, from + j), b = hn::LoadU(d, from + stride + j);
      const auto c = hn::LoadU(d, from + 2 * stride + j), e = hn::LoadU(d, from + 3 * stride + j);
      const auto ab01 = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
      const auto ab23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
      const auto ce01 = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
      const auto ce23 = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab01, ce01)), d, to + j * apart);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab01, ce01)), d, to + (j + 1) * apart);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab23, ce23)), d, to + (j + 2) * apart);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab23, ce23)), d, to + (j + 3) * apart);
    }
    for (std::int64_t r = row; r < row + 4; ++r) one_by_one(r, j, columns);
  }
#endif
  for (; row < rows; ++row) one_by_one(row, 0, columns);
}

/// taps [channel][9][Width] from `channels` inputs, `from` the first, to the results from `to` on;
/// zeros where there are no such channels.
template <int Width>
void GatherTaps(const PlainWeights& weights, std::int64_t to, std::int64_t from,
                std::int64_t channels, float* taps) {
  const std::int64_t results = std::min<std::int64_t>(Width, weights.oc - to);
  const std::int64_t inputs = std::min(channels, weights.ic - from);
  if (results < Width || inputs < channels) std::fill_n(taps, channels * 9 * Width, 0.0f);
  if (weights.turned) {
    for (std::int64_t c = 0; c < inputs; ++c) {
      float* last = taps + (c * 9 + 8) * Width;
      Transpose(weights.at(to, from + c), 9, results, 9, last, -Width);
    }
    return;
  }
  const float* in = weights.at(to, from);
  constexpr std::int64_t kStretch = 64;  // whose results stay in the first cache
  for (std::int64_t i = 0; i < inputs * 9; i += kStretch) {
    for (std::int64_t row = 0; row < results && i + 3 * kStretch <= inputs * 9; ++row) {
      const float* later = in + row * weights.ic * 9 + i + 2 * kStretch;
      for (std::int64_t line = 0; line < kStretch; line += 16) hwy::Prefetch(later + line);
    }
    Transpose(in + i, weights.ic * 9, results, std::min(kStretch, inputs * 9 - i), taps + i * Width,
              Width);
  }
}

/// Row `Row` of G g G^T of each kernel: out [T::kSide frequencies][channel][Vectors*B], frequencies
/// `step` apart.
template <class T, int B, int Vectors, int Row>
void TransformWeights(const float* taps, std::int64_t channels, float* out, std::int64_t step) {
  constexpr int kWidth = Vectors * B;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (int v = 0; v < Vectors; ++v) {
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        const float* in = taps + c * 9 * kWidth + v * B + lane;
        Line<V, 3> row;
        for (int j = 0; j < 3; ++j) {
          const Line<V, 3> column{{hn::LoadU(d, in + j * kWidth),
                                   hn::LoadU(d, in + (3 + j) * kWidth),
                                   hn::LoadU(d, in + (6 + j) * kWidth)}};
          row.v[j] = T::weight_frequencies(d, column).v[Row];  // what is not used is not computed
        }
        const auto transformed = T::weight_frequencies(d, row);
        float* to = out + c * kWidth + v * B + lane;
        for (int j = 0; j < T::kSide; ++j) hn::StoreU(transformed.v[j], d, to + j * step);
      });
    }
  }
}

/// Calls body(row) for the rows of a tile's frequencies, as constants.
template <class T, class Body>
void for_rows(const Body& body) {
  [&]<int... Row>(std::integer_sequence<int, Row...>) {
    (body(std::integral_constant<int, Row>()), ...);
  }
  (std::make_integer_sequence<int, T::kSide>());
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
