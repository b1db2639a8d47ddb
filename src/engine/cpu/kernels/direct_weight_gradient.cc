// A tile of the gradient, some input channels times some blocks of output channels, stays in
// registers while the pixels of a band of rows pass by; the band stays in the second cache while
// all tiles of all taps take their turn.
#include "engine/cpu/kernels/direct_convolution.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/direct_weight_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/outer_products-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

constexpr std::int64_t kBandFloats = 128 * 1024;  // of the result's gradient
// Output channels of a band: with all of a wide layer's it would have too few pixels, and the whole
// gradient would come from memory for each of many bands.
constexpr std::int64_t kBandChannels = 512;

/// Results along one axis whose source through a tap is not padding.
struct Span {
  std::int64_t begin, end;
  std::int64_t source;  // that of `begin`

  Span(std::int64_t results, std::int64_t sources, int stride, std::int64_t offset) {
    begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    const std::int64_t left = sources - offset;
    end = std::min(results, left <= 0 ? 0 : (left + stride - 1) / stride);
    source = begin * stride + offset;
  }
};

/// The rectangle of results that one tap reads for.
struct TapSpan {
  Span rows, columns;

  TapSpan(const ConvGeometry& g, std::int64_t tap)
      : rows(g.oh, g.ih, g.stride.h, tap / g.kernel.w * g.dilation.h - g.padding.top),
        columns(g.ow, g.iw, g.stride.w, tap % g.kernel.w * g.dilation.w - g.padding.left) {}
};

/// Rows [first, end) of one image, and some blocks of output channels.
struct Band {
  std::int64_t image, first, end;
  std::int64_t first_block, blocks;
};

/// One tap of R input channels; `sums` is their first row.
template <int B, int R>
void MultiplyTap(const ConvGeometry& g, const View& x, const View& dy, const Band& band,
                 std::int64_t tap, std::int64_t channel, float* sums) {
  const TapSpan span(g, tap);
  const std::int64_t begin = std::max(band.first, span.rows.begin);
  const std::int64_t end = std::min(band.end, span.rows.end);
  if (begin >= end || span.columns.begin >= span.columns.end) return;
  const std::int64_t source = span.rows.source + (begin - span.rows.begin) * g.stride.h;
  MultiplyChannels<B, R>(
      {.x = x.at(band.image, channel / B, source) + span.columns.source * B + channel % B,
       .dy = dy.at(band.image, band.first_block, begin) + span.columns.begin * B,
       .height = end - begin,
       .width = span.columns.end - span.columns.begin,
       .x_row = x.row() * g.stride.h,
       .x_pixel = std::int64_t{B} * g.stride.w,
       .dy_row = dy.row(),
       .dy_block = dy.plane()},
      band.blocks, sums + band.first_block * B, dy.blocks() * B);
}

/// All bands, those of the same output channels one after another.
template <typename Visit>
void each_band(const ConvGeometry& g, const View& dy, const Visit& visit) {
  const std::int64_t blocks = dy.blocks(), most = kBandChannels / dy.block;
  const std::int64_t slices = (blocks + most - 1) / most;
  for (std::int64_t slice = 0; slice < slices; ++slice) {
    const std::int64_t first = blocks * slice / slices;
    const std::int64_t some = blocks * (slice + 1) / slices - first;
    const std::int64_t rows =
        std::clamp<std::int64_t>(kBandFloats / (some * dy.block * g.ow), 1, g.oh);
    for (std::int64_t n = 0; n < g.n; ++n) {
      for (std::int64_t y = 0; y < g.oh; y += rows) {
        visit(Band{n, y, std::min(y + rows, g.oh), first, some});
      }
    }
  }
}

/// sums [tap][ic, whole blocks][oc, whole blocks]
template <int B>
void Sum(const ConvGeometry& g, const View& x, const View& dy, float* sums) {
  constexpr int kChannels = kOuterRows;
  const std::int64_t in = x.blocks() * B, out = dy.blocks() * B, taps = g.taps();
  const std::int64_t units = in / kChannels * taps, workers = threads();
  // Which worker sums a tile changes nothing: it is always the same sum.
  parallel_for(workers, [&](std::int64_t worker) {
    const std::int64_t begin = units * worker / workers, end = units * (worker + 1) / workers;
    const auto tile = [&](std::int64_t unit) {
      return sums + (unit % taps * in + unit / taps * kChannels) * out;
    };
    for (std::int64_t u = begin; u < end; ++u) std::fill_n(tile(u), kChannels * out, 0.0f);
    each_band(g, dy, [&](const Band& band) {
      for (std::int64_t u = begin; u < end; ++u) {
        MultiplyTap<B, kChannels>(g, x, dy, band, u % taps, u / taps * kChannels, tile(u));
      }
    });
  });
}

void SumProducts(const ConvGeometry& g, const View& x, const View& dy, float* sums) {
  with_block(x.block, [&](auto block) { Sum<block>(g, x, dy, sums); });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(SumProducts);

std::int64_t direct_gradient_floats(const ConvGeometry& g, int block) {
  return g.taps() * whole_blocks(g.ic, block) * whole_blocks(g.oc, block);
}

void direct_weight_gradient(const ConvGeometry& g, const View& x, const View& dy, float* gradient,
                            float* scratch) {
  HWY_DYNAMIC_DISPATCH(SumProducts)(g, x, dy, scratch);
  const std::int64_t in = x.blocks() * x.block, out = dy.blocks() * dy.block, taps = g.taps();
  constexpr std::int64_t kSquare =
      16;  // channels either way: what is read stays in the first cache
  const std::int64_t squares = (g.ic + kSquare - 1) / kSquare;
  parallel_for((g.oc + kSquare - 1) / kSquare * squares, [&](std::int64_t square) {
    const std::int64_t o0 = square / squares * kSquare, i0 = square % squares * kSquare;
    for (std::int64_t o = o0; o < std::min(o0 + kSquare, g.oc); ++o) {
      for (std::int64_t i = i0; i < std::min(i0 + kSquare, g.ic); ++i) {
        float* to = gradient + (o * g.ic + i) * taps;
        for (std::int64_t t = 0; t < taps; ++t) to[t] += scratch[(t * in + i) * out + o];
      }
    }
  });
}

}  // namespace segmentum::cpu
#endif
