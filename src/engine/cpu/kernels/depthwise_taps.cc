// Forward, result m reads pixels at fixed offsets from m * stride. Backward, pixels whose places
// agree modulo the stride form a series, and read the gradient in just that way.
#include "engine/cpu/kernels/depthwise_taps.h"

#include <algorithm>

namespace segmentum::cpu {
namespace {

/// Cuts `count` results where the set of taps inside [0, size) changes.
std::vector<TapStretch> stretches_of(const TapSeries& series, std::int64_t count,
                                     std::int64_t size) {
  std::vector<TapStretch> stretches;
  for (std::int64_t m = 0; m < count; ++m) {
    const auto taps_before = [&](std::int64_t pixel) {
      const auto found =
          std::ranges::lower_bound(series.taps, pixel - m * series.step, {}, &AxisTap::offset);
      return found - series.taps.begin();
    };
    const TapStretch here{m, m + 1, taps_before(0), taps_before(size)};
    if (!stretches.empty() && stretches.back().first == here.first &&
        stretches.back().last == here.last) {
      stretches.back().end = here.end;
    } else {
      stretches.push_back(here);
    }
  }
  return stretches;
}

}  // namespace

WindowAxes axes_of(const View& x, const DepthwiseWindow& w, const View& y) {
  return {{x.shape.h(), y.shape.h(), w.kernel.h, w.stride.h, w.dilation.h, w.padding.top},
          {x.shape.w(), y.shape.w(), w.kernel.w, w.stride.w, w.dilation.w, w.padding.left}};
}

std::vector<TapSeries> forward_taps(const ConvAxis& axis) {
  TapSeries series{.step = axis.stride};
  for (std::int64_t k = 0; k < axis.kernel; ++k) {
    series.taps.push_back({k * axis.dilation - axis.before, k});
  }
  series.stretches = stretches_of(series, axis.out, axis.in);
  return {series};
}

std::vector<TapSeries> backward_taps(const ConvAxis& axis) {
  std::vector<TapSeries> all;
  for (std::int64_t start = 0; start < std::min<std::int64_t>(axis.stride, axis.in); ++start) {
    TapSeries series{.start = start, .spread = axis.stride};
    for (std::int64_t k = axis.kernel - 1; k >= 0; --k) {
      const std::int64_t distance = start + axis.before - k * axis.dilation;
      if (distance % axis.stride == 0) series.taps.push_back({distance / axis.stride, k});
    }
    const std::int64_t count = (axis.in - start + axis.stride - 1) / axis.stride;
    series.stretches = stretches_of(series, count, axis.out);
    all.push_back(std::move(series));
  }
  return all;
}

}  // namespace segmentum::cpu
