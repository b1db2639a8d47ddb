// The gradient of a depthwise convolution's weights: for each tap of a channel's kernel the sum of
// dy times what that tap looked at. The sums of several taps stay in registers while dy goes by.
#include "engine/cpu/kernels/depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/depthwise_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/depthwise_taps.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

constexpr std::int64_t kDepthwiseStripFloats = 8192;  // and as many of x, in the first cache

/// Strips of the rows of dy, each summed by one thread.
struct GradientStrips {
  std::int64_t rows, count;
  explicit GradientStrips(const View& dy)
      : rows(
            std::max<std::int64_t>(1, kDepthwiseStripFloats / std::max<std::int64_t>(1, dy.row()))),
        count((dy.shape.h() + rows - 1) / rows) {}
};

/// A strip's sums: one vector for each tap, one for the bias.
std::int64_t StripFloats(Size2 kernel, int block) {
  return (std::int64_t{kernel.h} * kernel.w + 1) * block;
}

/// Columns of the kernel that fit into the registers three rows at a time, or else two.
constexpr int kGradientColumns = HWY_TARGET <= HWY_AVX3 ? 5 : 3;

/// Sums over a rectangle of dy for R rows and K columns of the kernel.
struct GradientArea {
  const float* dy;                  // at the first result
  const float* const* sources;      // R rows of x, where that result looks
  const AxisTap* taps;              // K of them
  float* const* sums;               // R rows of the kernel, [kw][B]
  std::int64_t height, width;       // results
  std::int64_t dy_row, source_row;  // floats from one row of results to the next
  std::int64_t step;                // source pixels between results
};

template <int B, int R, int K>
void GradientTile(const GradientArea& area) {
  constexpr int U = std::max(1, 8 / (R * K));  // results at a time: chains that hide the latency
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    using V = hn::Vec<Lanes<B>>;
    V sum[U][R][K];
    for (int u = 0; u < U; ++u) {
      for (int r = 0; r < R; ++r) {
        for (int k = 0; k < K; ++k) sum[u][r][k] = hn::Zero(d);
      }
    }
    std::int64_t offset[K];
    for (int k = 0; k < K; ++k) offset[k] = area.taps[k].offset * B;
    const std::int64_t step = area.step * B;
    for (std::int64_t y = 0; y < area.height; ++y) {
      const float* in[R];
      for (int r = 0; r < R; ++r) in[r] = area.sources[r] + y * area.source_row + lane;
      const float* dy = area.dy + y * area.dy_row + lane;
      std::int64_t m = 0;
      for (; m + U <= area.width; m += U) {
        for (int u = 0; u < U; ++u) {
          const V g = hn::LoadU(d, dy + u * B);
          for (int r = 0; r < R; ++r) {
            for (int k = 0; k < K; ++k) {
              sum[u][r][k] = hn::MulAdd(hn::LoadU(d, in[r] + offset[k]), g, sum[u][r][k]);
            }
            in[r] += step;
          }
        }
        dy += U * B;
      }
      for (; m < area.width; ++m) {
        const V g = hn::LoadU(d, dy);
        for (int r = 0; r < R; ++r) {
          for (int k = 0; k < K; ++k) {
            sum[0][r][k] = hn::MulAdd(hn::LoadU(d, in[r] + offset[k]), g, sum[0][r][k]);
          }
          in[r] += step;
        }
        dy += B;
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int k = 0; k < K; ++k) {
        V total = sum[0][r][k];
        for (int u = 1; u < U; ++u) total = hn::Add(total, sum[u][r][k]);
        float* to = area.sums[r] + area.taps[k].index * B + lane;
        hn::StoreU(hn::Add(hn::LoadU(d, to), total), d, to);
      }
    }
  });
}

template <int B, int K>
void GradientRows(const GradientArea& area, int rows) {
  if constexpr (K <= kGradientColumns) {
    if (rows == 3) return GradientTile<B, 3, K>(area);
  }
  rows == 2 ? GradientTile<B, 2, K>(area) : GradientTile<B, 1, K>(area);
}

template <int B>
void GradientTaps(const GradientArea& area, int rows, std::int64_t taps) {
  switch (taps) {
    case 1:
      return GradientRows<B, 1>(area, rows);
    case 2:
      return GradientRows<B, 2>(area, rows);
    case 3:
      return GradientRows<B, 3>(area, rows);
    case 4:
      return GradientRows<B, 4>(area, rows);
    default:
      return GradientRows<B, 5>(area, rows);
  }
}

/// Adds the rows [first, last) of a plane of dy, which all read the same rows of the kernel, to the
/// sums of a strip.
template <int B>
void AddGradientRows(const float* x, std::int64_t x_row, const float* dy, std::int64_t dy_row,
                     const TapSeries& rows, const TapStretch& band, const TapSeries& columns,
                     std::int64_t kernel_w, float* sums) {
  for (const TapStretch& stretch : columns.stretches) {
    for (std::int64_t k = stretch.first; k < stretch.last;) {
      const std::int64_t left = stretch.last - k, taps = left <= 5 ? left : 4;
      const std::int64_t most = taps <= kGradientColumns ? 3 : 2;
      for (std::int64_t r = band.first; r < band.last;) {
        const std::int64_t count = std::min(most, band.last - r);
        const float* sources[3];
        float* to[3];
        for (std::int64_t j = 0; j < count; ++j) {
          const AxisTap& tap = rows.taps[static_cast<std::size_t>(r + j)];
          sources[j] =
              x + (band.begin * rows.step + tap.offset) * x_row + stretch.begin * columns.step * B;
          to[j] = sums + tap.index * kernel_w * B;
        }
        GradientTaps<B>({.dy = dy + band.begin * dy_row + stretch.begin * B,
                         .sources = sources,
                         .taps = &columns.taps[static_cast<std::size_t>(k)],
                         .sums = to,
                         .height = band.end - band.begin,
                         .width = stretch.end - stretch.begin,
                         .dy_row = dy_row,
                         .source_row = rows.step * x_row,
                         .step = columns.step},
                        static_cast<int>(count), taps);
        r += count;
      }
      k += taps;
    }
  }
}

template <int B>
void AddPixels(const float* dy, std::int64_t pixels, float* sum) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    auto even = hn::LoadU(d, sum + lane), odd = hn::Zero(d);
    std::int64_t x = 0;
    for (; x + 2 <= pixels; x += 2) {
      even = hn::Add(even, hn::LoadU(d, dy + x * B + lane));
      odd = hn::Add(odd, hn::LoadU(d, dy + (x + 1) * B + lane));
    }
    if (x < pixels) even = hn::Add(even, hn::LoadU(d, dy + x * B + lane));
    hn::StoreU(hn::Add(even, odd), d, sum + lane);
  });
}

/// gradient[c * taps + tap] += the strips' sums of value `tap` (or of the bias, with one tap).
template <int B>
void JoinStrips(const View& dy, const float* scratch, std::int64_t strips, std::int64_t strip,
                std::int64_t taps, float* gradient) {
  const std::int64_t blocks = dy.blocks();
  parallel_for(blocks, [&](std::int64_t cb) {
    const std::int64_t used = std::min<std::int64_t>(B, dy.shape.c() - cb * B);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      double sums[B] = {};
      for (std::int64_t n = 0; n < dy.shape.n(); ++n) {
        const float* p = scratch + (n * blocks + cb) * strips * strip + tap * B;
        for (std::int64_t s = 0; s < strips; ++s) {
          for (int c = 0; c < B; ++c) sums[c] += p[s * strip + c];
        }
      }
      for (std::int64_t c = 0; c < used; ++c) {
        gradient[(cb * B + c) * taps + tap] += static_cast<float>(sums[c]);
      }
    }
  });
}

template <int B>
void WeightGradientOf(const View& x, const View& dy, const DepthwiseWindow& window, float* weights,
                      float* bias, float* scratch) {
  const WindowAxes axes = axes_of(x, window, dy);
  const TapSeries rows = forward_taps(axes.rows).front();
  const TapSeries columns = forward_taps(axes.columns).front();
  const std::int64_t height = dy.shape.h(), blocks = dy.blocks();
  const std::int64_t taps = std::int64_t{window.kernel.h} * window.kernel.w;
  const std::int64_t strip_floats = StripFloats(window.kernel, B);
  const GradientStrips strips(dy);
  parallel_for(dy.shape.n() * blocks * strips.count, [&](std::int64_t i) {
    const std::int64_t cb = i / strips.count % blocks, n = i / strips.count / blocks;
    const std::int64_t first = i % strips.count * strips.rows;
    const std::int64_t last = std::min(first + strips.rows, height);
    float* sums = scratch + i * strip_floats;
    std::fill_n(sums, strip_floats, 0.0f);
    for (TapStretch band : rows.stretches) {
      band.begin = std::max(band.begin, first);
      band.end = std::min(band.end, last);
      if (band.begin >= band.end) continue;
      AddGradientRows<B>(x.at(n, cb), x.row(), dy.at(n, cb), dy.row(), rows, band, columns,
                         window.kernel.w, sums);
    }
    if (bias != nullptr) {
      AddPixels<B>(dy.at(n, cb, first), (last - first) * dy.shape.w(), sums + taps * B);
    }
  });
  JoinStrips<B>(dy, scratch, strips.count, strip_floats, taps, weights);
  if (bias != nullptr) {
    JoinStrips<B>(dy, scratch + taps * B, strips.count, strip_floats, 1, bias);
  }
}

std::int64_t DepthwiseScratchFloats(const View& dy, Size2 kernel) {
  return dy.shape.n() * dy.blocks() * GradientStrips(dy).count * StripFloats(kernel, dy.block);
}

void DepthwiseWeightGradient(const View& x, const View& dy, const DepthwiseWindow& window,
                             float* weights, float* bias, float* scratch) {
  with_block(dy.block,
             [&](auto block) { WeightGradientOf<block>(x, dy, window, weights, bias, scratch); });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(DepthwiseScratchFloats);
HWY_EXPORT(DepthwiseWeightGradient);

std::int64_t depthwise_scratch_floats(const View& dy, Size2 kernel) {
  return HWY_DYNAMIC_DISPATCH(DepthwiseScratchFloats)(dy, kernel);
}

void depthwise_weight_gradient(const View& x, const View& dy, const DepthwiseWindow& window,
                               float* weights, float* bias, float* scratch) {
  HWY_DYNAMIC_DISPATCH(DepthwiseWeightGradient)(x, dy, window, weights, bias, scratch);
}

}  // namespace segmentum::cpu
#endif
