// First the taps are summed over rows of the map, for each column of the kernel apart; these sums
// are as narrow as the map and stay in the cache while their columns are summed. With a
// magnification of 4 and 3x3 taps that is 4.5 and 6 multiply-adds for a result.
#include "engine/cpu/kernels/magnified_taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/magnified_taps.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {

using Term = MagnifiedTaps::Term;
using Axis = MagnifiedTaps::Axis;

struct Summation {
  const MagnifiedPart& part;
  int kernel_w;
  const Axis& rows;
  const Axis& columns;
  Region sources;     // of the map: what the region reads
  std::int64_t line;  // floats of a row of the map
  float* sums;        // over rows: [block][row of results][kernel column][column of the map][B]

  std::int64_t sums_row() const { return kernel_w * line; }
  std::int64_t sums_block() const { return part.results.y.size() * sums_row(); }
  /// What the sums over rows read for column `tap` of the kernel, from the first tap above it on.
  const float* taps(std::int64_t cb, int tap) const {
    return part.taps.at(part.image, tap * part.y.blocks() + cb) + sources.x.begin * part.y.block;
  }
};

std::span<const Term> TermsOf(const Axis& axis, std::int64_t result) {
  const auto i = static_cast<std::size_t>(result);
  return std::span(axis.terms).subspan(axis.begin[i], axis.begin[i + 1] - axis.begin[i]);
}

/// sums = the terms of one row of results, for C pixels of the map.
template <int B, int C>
HWY_INLINE void sum_rows(std::span<const Term> terms, const float* taps, float* sums) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    hn::Vec<Lanes<B>> sum[C];
    for (int c = 0; c < C; ++c) sum[c] = hn::Zero(d);
    for (const Term& term : terms) {
      const float* source = taps + term.offset + lane;
      const auto weight = hn::Set(d, term.weight);
#pragma GCC unroll 16
      for (int c = 0; c < C; ++c) {
        sum[c] = hn::MulAdd(weight, hn::LoadU(d, source + c * B), sum[c]);
      }
    }
    for (int c = 0; c < C; ++c) hn::StoreU(sum[c], d, sums + c * B + lane);
  });
}

template <int B>
void SumRow(std::span<const Term> terms, const float* taps, std::int64_t pixels, float* sums) {
  const auto sum = [&]<int C>() {
    for (; pixels >= C; pixels -= C, taps += C * B, sums += C * B) {
      sum_rows<B, C>(terms, taps, sums);
    }
  };
  sum.template operator()<8>();
  sum.template operator()<2>();
  sum.template operator()<1>();
}

/// One row of results of `Blocks` blocks.
template <int B, int Blocks>
void SumColumns(const Axis& columns, const Interval& results, const float* sums,
                std::int64_t sums_block, const float* bias, float* out, std::int64_t plane) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    using V = hn::Vec<Lanes<B>>;
    V start[Blocks];
    for (int v = 0; v < Blocks; ++v) {
      start[v] = bias == nullptr ? hn::Zero(d) : hn::LoadU(d, bias + v * B + lane);
    }
    const float* source[Blocks];
    for (int v = 0; v < Blocks; ++v) source[v] = sums + v * sums_block + lane;
    const auto add = [&](const Term& term, V(&sum)[Blocks]) HWY_ATTR {
      const auto weight = hn::Set(d, term.weight);
      for (int v = 0; v < Blocks; ++v) {
        sum[v] = hn::MulAdd(weight, hn::LoadU(d, source[v] + term.offset), sum[v]);
      }
    };
    float* to = out + lane;
    const std::size_t* begin = columns.begin.data() + results.begin;
    for (std::int64_t left = results.size(); left > 0; --left, ++begin, to += B) {
      V sum[Blocks];
      for (int v = 0; v < Blocks; ++v) sum[v] = start[v];
      const Term* term = columns.terms.data() + begin[0];
      const Term* end = columns.terms.data() + begin[1];
      if (end - term == 6) {  // three taps between two pixels each: all but those at the border
#pragma GCC unroll 6
        for (int t = 0; t < 6; ++t) add(term[t], sum);
      } else {
        for (; term < end; ++term) add(*term, sum);
      }
      for (int v = 0; v < Blocks; ++v) hn::StoreU(sum[v], d, to + v * plane);
    }
  });
}

template <int B, int Blocks>
void SumBlocks(const Summation& s, std::int64_t cb) {
  const MagnifiedPart& part = s.part;
  const Interval rows = part.results.y;
  for (int v = 0; v < Blocks; ++v) {
    for (int tap = 0; tap < s.kernel_w; ++tap) {
      const float* taps = s.taps(cb + v, tap);
      float* sums = s.sums + v * s.sums_block() + tap * s.line + s.sources.x.begin * B;
      for (std::int64_t y = rows.begin; y < rows.end; ++y, sums += s.sums_row()) {
        SumRow<B>(TermsOf(s.rows, y), taps, s.sources.x.size(), sums);
      }
    }
  }
  for (std::int64_t y = rows.begin; y < rows.end; ++y) {
    SumColumns<B, Blocks>(s.columns, part.results.x, s.sums + (y - rows.begin) * s.sums_row(),
                          s.sums_block(), part.bias == nullptr ? nullptr : part.bias + cb * B,
                          part.y.at(part.image, cb, y) + part.results.x.begin * B, part.y.plane());
  }
}

template <int B>
void SumOf(const Summation& s) {
  std::int64_t cb = s.part.first_block;
  const auto sum = [&]<int Blocks>() {
    for (; cb + Blocks <= s.part.end_block; cb += Blocks) SumBlocks<B, Blocks>(s, cb);
  };
  sum.template operator()<MagnifiedTaps::kBlocks>();
  sum.template operator()<1>();
}

void MagnifiedSum(const MagnifiedPart& part, int kernel_w, const Axis& rows, const Axis& columns,
                  const Region& sources, std::int64_t line, float* scratch) {
  const Summation summation{part, kernel_w, rows, columns, sources, line, scratch};
  with_block(part.y.block, [&](auto block) { SumOf<block>(summation); });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(MagnifiedSum);

namespace {

/// Offsets: a tap is `tap` floats from the next, a pixel of the map `pixel`.
MagnifiedTaps::Axis axis_of(const TapTerms& terms, std::int64_t tap, std::int64_t pixel) {
  MagnifiedTaps::Axis axis{.terms = {}, .begin = {0}, .sources = {}};
  for (const std::vector<TapTerm>& of_result : terms) {
    Interval& sources = axis.sources.emplace_back();
    for (const TapTerm& term : of_result) {
      axis.terms.push_back({term.tap * tap + term.source * pixel, term.weight});
      sources = hull(sources, {term.source, term.source + 1});
    }
    axis.begin.push_back(axis.terms.size());
  }
  return axis;
}

/// The pixels of the map that results read.
Interval sources_of(const MagnifiedTaps::Axis& axis, const Interval& results) {
  Interval all;
  for (std::int64_t i = results.begin; i < results.end; ++i) {
    all = hull(all, axis.sources[static_cast<std::size_t>(i)]);
  }
  return all;
}

}  // namespace

TapTerms tap_terms(std::span<const ResizeTap> seen, int kernel, int dilation, int before,
                   std::int64_t results) {
  TapTerms terms(static_cast<std::size_t>(results));
  const auto size = static_cast<std::int64_t>(seen.size());
  for (std::int64_t i = 0; i < results; ++i) {
    for (std::int64_t tap = 0; tap < kernel; ++tap) {
      const std::int64_t at = i - before + tap * dilation;
      if (at < 0 || at >= size) continue;
      const ResizeTap& pixel = seen[static_cast<std::size_t>(at)];
      if (pixel.first < 0) continue;
      const float second = pixel.first == pixel.second ? 0.0f : pixel.weight;
      auto& to = terms[static_cast<std::size_t>(i)];
      to.push_back({tap, pixel.first, 1 - second});
      if (second != 0) to.push_back({tap, pixel.second, second});
    }
  }
  return terms;
}

MagnifiedTaps::MagnifiedTaps(Size2 kernel, const Shape& map, std::int64_t channels,
                             const TapTerms& rows, const TapTerms& columns)
    : kernel_w_(kernel.w),
      map_w_(map.w()),
      rows_(axis_of(rows, kernel.w * whole_blocks(channels) * map.h() * map.w(),
                    map.w() * vector_block())),
      columns_(axis_of(columns, map.w() * vector_block(), vector_block())) {}

std::int64_t MagnifiedTaps::scratch_floats(std::int64_t rows) const {
  return kBlocks * rows * kernel_w_ * map_w_ * vector_block();
}

void MagnifiedTaps::sum(const MagnifiedPart& part, float* scratch) const {
  const Region sources{sources_of(rows_, part.results.y), sources_of(columns_, part.results.x)};
  HWY_DYNAMIC_DISPATCH(MagnifiedSum)
  (part, kernel_w_, rows_, columns_, sources, map_w_ * vector_block(), scratch);
}

}  // namespace segmentum::cpu
#endif
