// Logits are magnified last and leave in plain layout: a source row is blended and turned to plain
// while it is small, then every channel's row is drawn out in one go.
#include "engine/cpu/kernels/resize_plain.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/resize_plain.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

using Eight = hn::CappedTag<float, 8>;  // magnification by 8 is the usual one

/// line[c * w + x] = above + (below - above) * row.weight, channel c of pixel x, for the first
/// `used` channels.
template <int B>
void BlendRows(const View& x, std::int64_t n, std::int64_t cb, const ResizeTap& row,
               std::int64_t used, float* line) {
  const std::int64_t w = x.shape.w();
  const float *above = x.at(n, cb, row.first), *below = x.at(n, cb, row.second);
  const bool same = row.first == row.second;
  HWY_ALIGN float pixel[B];
  for (std::int64_t i = 0; i < w; ++i) {
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      auto v = hn::LoadU(d, above + i * B + lane);
      if (!same) {
        const auto difference = hn::Sub(hn::LoadU(d, below + i * B + lane), v);
        v = hn::MulAdd(difference, hn::Set(d, row.weight), v);
      }
      hn::Store(v, d, pixel + lane);
    });
    for (std::int64_t c = 0; c < used; ++c) line[c * w + i] = pixel[c];
  }
}

/// Vectors may write beyond the end of their run: the next run comes after them. The row's end is
/// respected.
void DrawOut(const float* line, const ResizeRuns& columns, float* out) {
  const Eight d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto width = static_cast<std::int64_t>(columns.weights.size());
  for (const ResizeRun& run : columns.runs) {
    const auto start = hn::Set(d, line[run.first]);
    const auto rise =
        run.first == run.second ? hn::Zero(d) : hn::Set(d, line[run.second] - line[run.first]);
    std::int64_t i = run.begin;
    for (; i < run.end && i + lanes <= width; i += lanes) {
      hn::StoreU(hn::MulAdd(rise, hn::LoadU(d, columns.weights.data() + i), start), d, out + i);
    }
    if (i >= run.end) continue;
    HWY_ALIGN float weights[8] = {}, values[8];
    const auto rest = static_cast<std::size_t>(run.end - i);  // less than a vector
    std::copy_n(columns.weights.data() + i, rest, weights);
    hn::Store(hn::MulAdd(rise, hn::Load(d, weights), start), d, values);
    std::copy_n(values, rest, out + i);
  }
}

/// Results a vector at a time, where a vector of the source holds all that it is made of: so it
/// does when a row is magnified.
struct ColumnVectors {
  struct Place {
    std::int64_t result, source;
  };
  std::vector<Place> places;
  std::vector<std::int32_t> first, second;  // from `source` on, for each lane

  explicit ColumnVectors(const std::vector<ResizeTap>& taps) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
    const auto width = static_cast<std::int64_t>(taps.size());
    bool fits = width >= lanes;
    for (std::int64_t i = 0; i < width && fits; i += lanes) {
      const std::int64_t at = std::min(i, width - lanes);  // the last again, in part
      const std::int64_t source = taps[static_cast<std::size_t>(at)].first;
      places.push_back({at, source});
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const ResizeTap& tap = taps[static_cast<std::size_t>(at + lane)];
        first.push_back(static_cast<std::int32_t>(tap.first - source));
        second.push_back(static_cast<std::int32_t>(tap.second - source));
        fits &= tap.second - source < lanes;
      }
    }
    if (!fits) places.clear();
  }
};

/// The same results as DrawOut's. Reads a vector from each source on.
void DrawVectors(const float* line, const ColumnVectors& columns, const float* weights,
                 float* out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> of_lanes;
  const std::int32_t* first = columns.first.data();
  const std::int32_t* second = columns.second.data();
  for (const ColumnVectors::Place& place : columns.places) {
    const auto source = hn::LoadU(d, line + place.source);
    const auto left =
        hn::TableLookupLanes(source, hn::IndicesFromVec(d, hn::LoadU(of_lanes, first)));
    const auto right =
        hn::TableLookupLanes(source, hn::IndicesFromVec(d, hn::LoadU(of_lanes, second)));
    const auto weight = hn::LoadU(d, weights + place.result);
    hn::StoreU(hn::MulAdd(hn::Sub(right, left), weight, left), d, out + place.result);
    first += hn::Lanes(d);
    second += hn::Lanes(d);
  }
}

template <int B>
void ToPlainOf(const View& x, const std::vector<ResizeTap>& rows, const ResizeRuns& columns,
               const ColumnVectors& vectors, const View& y) {
  const std::int64_t height = y.shape.h(), blocks = x.blocks(), w = x.shape.w();
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t oy = i % height, cb = i / height % blocks, n = i / height / blocks;
    const std::int64_t used = std::min<std::int64_t>(B, x.shape.c() - cb * B);
    std::vector<float> line(static_cast<std::size_t>(used * w) +
                            hn::Lanes(hn::ScalableTag<float>()));
    BlendRows<B>(x, n, cb, rows[static_cast<std::size_t>(oy)], used, line.data());
    for (std::int64_t c = 0; c < used; ++c) {
      float* out = y.at(n, cb * B + c, oy);
      if (vectors.places.empty()) {
        DrawOut(line.data() + c * w, columns, out);
      } else {
        DrawVectors(line.data() + c * w, vectors, columns.weights.data(), out);
      }
    }
  });
}

void ResizeToPlain(const View& x, const std::vector<ResizeTap>& rows,
                   const std::vector<ResizeTap>& columns, const View& y) {
  const ResizeRuns runs = resize_runs(columns);
  const ColumnVectors vectors(columns);
  with_block(x.block, [&](auto block) { ToPlainOf<block>(x, rows, runs, vectors, y); });
}

/// sum[i] = the rows of dy in `shares`, each times its share.
void GatherRows(const View& dy, std::int64_t n, std::int64_t c, const std::vector<RowShare>& shares,
                float* sum) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t w = dy.shape.w();
  std::fill_n(sum, w, 0.0f);
  for (const RowShare& share : shares) {
    const float* from = dy.at(n, c, share.row);
    const auto factor = hn::Set(d, share.weight);
    std::int64_t i = 0;
    for (; i + lanes <= w; i += lanes) {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, from + i), factor, hn::LoadU(d, sum + i)), d, sum + i);
    }
    for (; i < w; ++i) sum[i] += from[i] * share.weight;
  }
}

void DrawIn(const float* sum, const ResizeRuns& columns, float* line) {
  for (const ResizeRun& run : columns.runs) {
    float all = 0, second = 0;
    for (std::int64_t i = run.begin; i < run.end; ++i) {
      all += sum[i];
      second += sum[i] * columns.weights[static_cast<std::size_t>(i)];
    }
    line[run.first] += all - second;
    line[run.second] += second;
  }
}

template <int B>
void BackwardFromPlainOf(const View& dy, const std::vector<std::vector<RowShare>>& shares,
                         const ResizeRuns& columns, const View& dx, bool add) {
  const std::int64_t height = dx.shape.h(), blocks = dx.blocks(), w = dx.shape.w();
  parallel_for(dx.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t row = i % height, cb = i / height % blocks, n = i / height / blocks;
    std::vector<float> sum(static_cast<std::size_t>(dy.shape.w()));
    std::vector<float> lines(static_cast<std::size_t>(B * w));
    const std::int64_t used = std::min<std::int64_t>(B, dx.shape.c() - cb * B);
    for (std::int64_t c = 0; c < used; ++c) {
      GatherRows(dy, n, cb * B + c, shares[static_cast<std::size_t>(row)], sum.data());
      DrawIn(sum.data(), columns, lines.data() + c * w);
    }
    float* out = dx.at(n, cb, row);
    for (std::int64_t x = 0; x < w; ++x) {
      for (std::int64_t c = 0; c < B; ++c, ++out) {
        const float value = lines[static_cast<std::size_t>(c * w + x)];
        *out = add ? *out + value : value;
      }
    }
  });
}

void ResizeBackwardFromPlain(const View& dy, const std::vector<std::vector<RowShare>>& shares,
                             const ResizeRuns& columns, const View& dx, bool add) {
  with_block(dx.block,
             [&](auto block) { BackwardFromPlainOf<block>(dy, shares, columns, dx, add); });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(ResizeToPlain);
HWY_EXPORT(ResizeBackwardFromPlain);

ResizeRuns resize_runs(const std::vector<ResizeTap>& taps) {
  ResizeRuns result;
  for (const ResizeTap& tap : taps) {
    const auto at = static_cast<std::int64_t>(result.weights.size());
    result.weights.push_back(tap.weight);
    const bool same = !result.runs.empty() && result.runs.back().first == tap.first &&
                      result.runs.back().second == tap.second;
    if (!same) result.runs.push_back({at, at, tap.first, tap.second});
    result.runs.back().end = at + 1;
  }
  return result;
}

std::vector<std::vector<RowShare>> row_shares(const std::vector<ResizeTap>& taps,
                                              std::int64_t sources) {
  std::vector<std::vector<RowShare>> shares(static_cast<std::size_t>(sources));
  for (std::size_t row = 0; row < taps.size(); ++row) {
    const ResizeTap& tap = taps[row];
    const auto at = static_cast<std::int64_t>(row);
    if (tap.first == tap.second) {
      shares[static_cast<std::size_t>(tap.first)].push_back({at, 1.0f});
    } else {
      shares[static_cast<std::size_t>(tap.first)].push_back({at, 1.0f - tap.weight});
      shares[static_cast<std::size_t>(tap.second)].push_back({at, tap.weight});
    }
  }
  return shares;
}

void resize_to_plain(const View& x, Interpolation mode, bool align_corners, const View& y) {
  const auto rows = resize_taps(x.shape.h(), y.shape.h(), mode, align_corners);
  const auto columns = resize_taps(x.shape.w(), y.shape.w(), mode, align_corners);
  HWY_DYNAMIC_DISPATCH(ResizeToPlain)(x, rows, columns, y);
}

void resize_backward_from_plain(const View& dy, Interpolation mode, bool align_corners,
                                const View& dx, bool add) {
  const auto rows = resize_taps(dx.shape.h(), dy.shape.h(), mode, align_corners);
  const auto columns = resize_taps(dx.shape.w(), dy.shape.w(), mode, align_corners);
  HWY_DYNAMIC_DISPATCH(ResizeBackwardFromPlain)
  (dy, row_shares(rows, dx.shape.h()), resize_runs(columns), dx, add);
}

}  // namespace segmentum::cpu
#endif
