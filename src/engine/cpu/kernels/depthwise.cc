// The result is cut into rectangles whose results all read the same taps (depthwise_taps.h), so no
// tap is tested in the loops and one in the padding costs nothing. Of up to 3x3 taps the weights
// stay in registers while several results at a time go by.
#include "engine/cpu/kernels/depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/depthwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/depthwise_taps.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// The same address, which the compiler then adds to here: else it keeps one for every tap and
/// pixel, more than there are registers.
HWY_INLINE const float* address(const float* p) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  asm("" : "+r"(p));
#endif
  return p;
}

/// Results in one direction: how many, and floats from one to the next.
struct Steps {
  std::int64_t count, source, out;
};

/// A rectangle of results that read the same taps: R rows and K columns of the kernel.
struct DepthwiseArea {
  const float* source;   // where its first result looks: the taps' offsets count from here
  const float* weights;  // [kh * kw][B]
  const float* bias;     // [B] or null
  const float* residual;
  float* out;
  std::span<const AxisTap> rows, columns;
  std::int64_t source_row;  // floats
  std::int64_t kernel_w;
  Steps along, across;  // tiles of results lie along the longer side
  Activation activation;
};

/// Calls tile(m) for results [m, m + T) of a line. The last tile may begin before the end of the
/// one before it and compute some results again, if that is less work than the rest one by one.
template <int T, typename Tile>
HWY_INLINE void for_tiles(const DepthwiseArea& area, std::int64_t m, const Tile& tile) {
  const std::int64_t end = area.along.count;
  for (; m + T <= end; m += T) tile(m);
  if (area.residual != area.out && end >= T && 2 * (end - m) > T) tile(end - T);
}

/// The first result that `for_tiles<T>` leaves.
template <int T>
std::int64_t after_tiles(const DepthwiseArea& area, std::int64_t m) {
  const std::int64_t end = area.along.count;
  m += (end - m) / T * T;
  return area.residual != area.out && end >= T && 2 * (end - m) > T ? end : m;
}

/// T results side by side along a line: + residual, activation, into memory.
template <int T, class D, class V = hn::Vec<D>>
HWY_INLINE void store_results(D d, const DepthwiseArea& area, std::int64_t at, V* sum) {
  if (area.residual != nullptr) {
    const float* from = area.residual + at;
    for (int t = 0; t < T; ++t, from += area.along.out) {
      sum[t] = hn::Add(sum[t], hn::LoadU(d, from));
    }
  }
  activate_vectors<T>(d, area.activation, sum);
  float* to = area.out + at;
  for (int t = 0; t < T; ++t, to += area.along.out) hn::StoreU(sum[t], d, to);
}

/// T results at a time from `first` on in every line, of R x K taps whose weights stay in
/// registers. Step: source pixels from one to the next, 0 for any number of floats.
template <int B, int T, int Step, int R, int K>
HWY_INLINE void small_tiles(const DepthwiseArea& area, std::int64_t first, std::size_t lane) {
  const Lanes<B> d;
  using V = hn::Vec<Lanes<B>>;
  const std::int64_t step = Step == 0 ? area.along.source : Step * B;
  V weights[R][K];
  std::int64_t offset[K];
  for (int k = 0; k < K; ++k) {
    offset[k] = area.columns[k].offset * B;
    for (int r = 0; r < R; ++r) {
      const std::int64_t tap = area.rows[r].index * area.kernel_w + area.columns[k].index;
      weights[r][k] = hn::LoadU(d, area.weights + tap * B + lane);
    }
  }
  const V bias = area.bias == nullptr ? hn::Zero(d) : hn::LoadU(d, area.bias + lane);
  for (std::int64_t line = 0; line < area.across.count; ++line) {
    const float* in[R];
    for (int r = 0; r < R; ++r) {
      in[r] =
          area.source + line * area.across.source + area.rows[r].offset * area.source_row + lane;
    }
    const std::int64_t out = line * area.across.out + static_cast<std::int64_t>(lane);
    for_tiles<T>(area, first, [&](std::int64_t m) HWY_ATTR {
      V sum[T];
      for (int t = 0; t < T; ++t) sum[t] = bias;
      for (int r = 0; r < R; ++r) {
        for (int k = 0; k < K; ++k) {
          const float* p = address(in[r] + offset[k] + m * step);
          for (int t = 0; t < T; ++t) {
            sum[t] = hn::MulAdd(hn::LoadU(d, p + t * step), weights[r][k], sum[t]);
          }
        }
      }
      store_results<T>(d, area, out + m * area.along.out, sum);
    });
  }
}

template <int B, int Step, int R, int K>
void SmallArea(const DepthwiseArea& area) {
  constexpr int T = HWY_TARGET <= HWY_AVX3 ? 8 : 4;  // sums beside nine weights
  const std::int64_t half = after_tiles<T>(area, 0), single = after_tiles<T / 2>(area, half);
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    if (half > 0) small_tiles<B, T, Step, R, K>(area, 0, lane);
    if (single > half) small_tiles<B, T / 2, Step, R, K>(area, half, lane);
    if (single < area.along.count) small_tiles<B, 1, Step, R, K>(area, single, lane);
  });
}

/// The same for any number of taps.
template <int B, int T, int Step>
HWY_INLINE void any_tiles(const DepthwiseArea& area, std::int64_t first, std::size_t lane) {
  const Lanes<B> d;
  using V = hn::Vec<Lanes<B>>;
  const std::int64_t step = Step == 0 ? area.along.source : Step * B;
  const V bias = area.bias == nullptr ? hn::Zero(d) : hn::LoadU(d, area.bias + lane);
  for (std::int64_t line = 0; line < area.across.count; ++line) {
    for_tiles<T>(area, first, [&](std::int64_t m) HWY_ATTR {
      const float* source = area.source + line * area.across.source + m * step + lane;
      V sum[T];
      for (int t = 0; t < T; ++t) sum[t] = bias;
      for (const AxisTap& row : area.rows) {
        const float* in = source + row.offset * area.source_row;
        const float* weights = area.weights + row.index * area.kernel_w * B + lane;
        for (const AxisTap& column : area.columns) {
          const V w = hn::LoadU(d, weights + column.index * B);
          const float* p = address(in + column.offset * B);
          for (int t = 0; t < T; ++t, p += step) sum[t] = hn::MulAdd(hn::LoadU(d, p), w, sum[t]);
        }
      }
      store_results<T>(
          d, area, line * area.across.out + m * area.along.out + static_cast<std::int64_t>(lane),
          sum);
    });
  }
}

template <int B, int Step>
void AnyArea(const DepthwiseArea& area) {
  const std::int64_t half = after_tiles<8>(area, 0), single = after_tiles<4>(area, half);
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    if (half > 0) any_tiles<B, 8, Step>(area, 0, lane);
    if (single > half) any_tiles<B, 4, Step>(area, half, lane);
    if (single < area.along.count) any_tiles<B, 1, Step>(area, single, lane);
  });
}

template <int B, int Step, int R>
void SmallColumns(const DepthwiseArea& area) {
  if (area.columns.size() == 1) return SmallArea<B, Step, R, 1>(area);
  if (area.columns.size() == 2) return SmallArea<B, Step, R, 2>(area);
  SmallArea<B, Step, R, 3>(area);
}

template <int B, int Step>
void SmallRows(const DepthwiseArea& area) {
  if (area.rows.size() == 1) return SmallColumns<B, Step, 1>(area);
  if (area.rows.size() == 2) return SmallColumns<B, Step, 2>(area);
  SmallColumns<B, Step, 3>(area);
}

template <int B, int Step>
void DepthwiseAreaOf(const DepthwiseArea& area) {
  const std::size_t rows = area.rows.size(), columns = area.columns.size();
  const bool small = rows >= 1 && rows <= 3 && columns >= 1 && columns <= 3;
  small ? SmallRows<B, Step>(area) : AnyArea<B, Step>(area);
}

/// Neighbouring rows of results that read the same rows of the kernel.
struct RowGroup {
  const TapSeries* series;
  TapStretch part;
  std::int64_t first_row() const { return series->start + part.begin * series->spread; }
};

/// In the order of the rows that they begin with, so that what one has read serves the next.
std::vector<RowGroup> GroupRows(const std::vector<TapSeries>& rows) {
  constexpr std::int64_t kRows = 8;
  std::vector<RowGroup> groups;
  for (const TapSeries& series : rows) {
    for (TapStretch part : series.stretches) {
      const std::int64_t end = part.end;
      for (; part.begin < end; part.begin = part.end) {
        part.end = std::min(part.begin + kRows, end);
        groups.push_back({&series, part});
      }
    }
  }
  std::ranges::stable_sort(groups, {}, &RowGroup::first_row);
  return groups;
}

std::span<const AxisTap> TapsOf(const TapSeries& series, const TapStretch& stretch) {
  return std::span(series.taps)
      .subspan(static_cast<std::size_t>(stretch.first),
               static_cast<std::size_t>(stretch.last - stretch.first));
}

/// One channel block: where its source and its results lie. `residual` and `out` are told for
/// result (0, 0), wherever the memory begins.
struct DepthwiseBlock {
  const float* source;
  std::int64_t top, left, source_row;
  const float* weights;
  const float* bias;
  const float* residual;
  float* out;
  std::int64_t out_top, out_left, out_row;
  std::int64_t kernel_w;
  Activation activation;
};

/// The results of a stretch of rows and a stretch of columns.
template <int B>
void DepthwiseStretch(const DepthwiseBlock& block, const TapSeries& row, const TapStretch& rows,
                      const TapSeries& column, const TapStretch& columns) {
  const std::int64_t y = row.start + rows.begin * row.spread - block.out_top;
  const std::int64_t x = column.start + columns.begin * column.spread - block.out_left;
  const std::int64_t out = y * block.out_row + x * B;
  Steps down{rows.end - rows.begin, row.step * block.source_row, row.spread * block.out_row};
  Steps right{columns.end - columns.begin, column.step * B, column.spread * B};
  if (right.count < 4 && down.count > right.count) std::swap(down, right);
  const DepthwiseArea area{.source = block.source +
                                     (rows.begin * row.step - block.top) * block.source_row +
                                     (columns.begin * column.step - block.left) * B,
                           .weights = block.weights,
                           .bias = block.bias,
                           .residual = block.residual == nullptr ? nullptr : block.residual + out,
                           .out = block.out + out,
                           .rows = TapsOf(row, rows),
                           .columns = TapsOf(column, columns),
                           .source_row = block.source_row,
                           .kernel_w = block.kernel_w,
                           .along = right,
                           .across = down,
                           .activation = block.activation};
  right.source == B ? DepthwiseAreaOf<B, 1>(area) : DepthwiseAreaOf<B, 0>(area);
}

template <int B>
void DepthwiseOf(const View& src, const float* packed, Size2 kernel,
                 const std::vector<TapSeries>& rows, const std::vector<TapSeries>& columns,
                 const DepthwiseEpilogue& epilogue, const View& dst) {
  const std::vector<RowGroup> groups = GroupRows(rows);
  const auto count = static_cast<std::int64_t>(groups.size());
  const std::int64_t blocks = dst.blocks();
  const View& residual = epilogue.residual;
  parallel_for(dst.shape.n() * blocks * count, [&](std::int64_t i) {
    const RowGroup& group = groups[static_cast<std::size_t>(i % count)];
    const std::int64_t cb = i / count % blocks, n = i / count / blocks;
    const DepthwiseBlock block{.source = src.at(n, cb),
                               .top = 0,
                               .left = 0,
                               .source_row = src.row(),
                               .weights = packed + cb * kernel.h * kernel.w * B,
                               .bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + cb * B,
                               .residual = residual.data == nullptr ? nullptr : residual.at(n, cb),
                               .out = dst.at(n, cb),
                               .out_top = 0,
                               .out_left = 0,
                               .out_row = dst.row(),
                               .kernel_w = kernel.w,
                               .activation = epilogue.activation};
    for (const TapSeries& column : columns) {
      for (const TapStretch& stretch : column.stretches) {
        DepthwiseStretch<B>(block, *group.series, group.part, column, stretch);
      }
    }
  });
}

/// Calls visit with every stretch's part inside of `interval`.
template <typename Visit>
void ForStretches(const TapSeries& series, const Interval& interval, const Visit& visit) {
  for (TapStretch part : series.stretches) {
    part.begin = std::max(part.begin, interval.begin);
    part.end = std::min(part.end, interval.end);
    if (part.begin < part.end) visit(part);
  }
}

void DepthwiseRegion(const TapSeries& row, const TapSeries& column, Size2 kernel,
                     const DepthwisePart& part) {
  const DepthwiseBlock block{.source = part.source,
                             .top = part.top,
                             .left = part.left,
                             .source_row = part.source_row,
                             .weights = part.weights,
                             .bias = part.bias,
                             .residual = nullptr,
                             .out = part.out,
                             .out_top = part.results.y.begin,
                             .out_left = part.results.x.begin,
                             .out_row = part.out_row,
                             .kernel_w = kernel.w,
                             .activation = part.activation};
  with_block(part.block, [&](auto lanes) {
    ForStretches(row, part.results.y, [&](const TapStretch& rows) {
      ForStretches(column, part.results.x, [&](const TapStretch& columns) {
        DepthwiseStretch<lanes>(block, row, rows, column, columns);
      });
    });
  });
}

void DepthwiseForward(const View& x, const float* packed, const DepthwiseWindow& window,
                      const DepthwiseEpilogue& epilogue, const View& y) {
  const WindowAxes axes = axes_of(x, window, y);
  const auto rows = forward_taps(axes.rows), columns = forward_taps(axes.columns);
  with_block(y.block, [&](auto block) {
    DepthwiseOf<block>(x, packed, window.kernel, rows, columns, epilogue, y);
  });
}

void DepthwiseTransposed(const View& dy, const float* packed, const DepthwiseWindow& window,
                         const DepthwiseEpilogue& epilogue, const View& dx) {
  const WindowAxes axes = axes_of(dx, window, dy);
  const auto rows = backward_taps(axes.rows), columns = backward_taps(axes.columns);
  with_block(dx.block, [&](auto block) {
    DepthwiseOf<block>(dy, packed, window.kernel, rows, columns, epilogue, dx);
  });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(DepthwiseForward);
HWY_EXPORT(DepthwiseTransposed);
HWY_EXPORT(DepthwiseRegion);

std::int64_t depthwise_weight_floats(std::int64_t channels, Size2 kernel) {
  return whole_blocks(channels) * kernel.h * kernel.w;
}

void depthwise_pack(const float* weights, std::int64_t channels, Size2 kernel, float* packed) {
  const std::int64_t taps = std::int64_t{kernel.h} * kernel.w, block = vector_block();
  std::fill_n(packed, depthwise_weight_floats(channels, kernel), 0.0f);
  for (std::int64_t c = 0; c < channels; ++c) {
    float* to = packed + c / block * taps * block + c % block;
    for (std::int64_t tap = 0; tap < taps; ++tap) to[tap * block] = weights[c * taps + tap];
  }
}

void depthwise_convolution(const View& x, const float* packed, const DepthwiseWindow& window,
                           const DepthwiseEpilogue& epilogue, const View& y) {
  HWY_DYNAMIC_DISPATCH(DepthwiseForward)(x, packed, window, epilogue, y);
}

struct DepthwiseInParts::Taps {
  Size2 kernel;
  ConvAxis rows, columns;
  TapSeries row_taps, column_taps;
};

DepthwiseInParts::DepthwiseInParts(const Shape& x, const DepthwiseWindow& window, const Shape& y) {
  const WindowAxes axes =
      axes_of({.data = nullptr, .shape = x}, window, {.data = nullptr, .shape = y});
  taps_ = std::make_shared<const Taps>(Taps{window.kernel, axes.rows, axes.columns,
                                            forward_taps(axes.rows).front(),
                                            forward_taps(axes.columns).front()});
}

Region DepthwiseInParts::reads(const Region& results) const {
  const auto along = [](const ConvAxis& axis, const Interval& of) {
    const std::int64_t first = of.begin * axis.stride - axis.before;
    const std::int64_t last =
        (of.end - 1) * axis.stride - axis.before + std::int64_t{axis.kernel - 1} * axis.dilation;
    return Interval{std::clamp<std::int64_t>(first, 0, axis.in),
                    std::clamp<std::int64_t>(last + 1, 0, axis.in)};
  };
  return {along(taps_->rows, results.y), along(taps_->columns, results.x)};
}

void DepthwiseInParts::compute(const DepthwisePart& part) const {
  HWY_DYNAMIC_DISPATCH(DepthwiseRegion)(taps_->row_taps, taps_->column_taps, taps_->kernel, part);
}

void depthwise_transposed(const View& dy, const float* packed, const DepthwiseWindow& window,
                          const DepthwiseEpilogue& epilogue, const View& dx) {
  HWY_DYNAMIC_DISPATCH(DepthwiseTransposed)(dy, packed, window, epilogue, dx);
}

}  // namespace segmentum::cpu
#endif
