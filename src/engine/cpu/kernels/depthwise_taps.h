// Which source pixels a depthwise convolution's results are made of, forward and backward: one
// description, so that one loop computes both.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/kernels/depthwise.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// One axis of a convolution from `in` to `out` pixels.
struct ConvAxis {
  std::int64_t in = 1, out = 1;
  int kernel = 1, stride = 1, dilation = 1;
  int before = 0;  // padding at the start
};

struct WindowAxes {
  ConvAxis rows, columns;
};
WindowAxes axes_of(const View& x, const DepthwiseWindow& window, const View& y);

/// Weight `index` times the source pixel at `offset` from where its result looks.
struct AxisTap {
  std::int64_t offset = 0;
  std::int64_t index = 0;
};

/// Results [begin, end) that read the same taps [first, last): those inside the source.
struct TapStretch {
  std::int64_t begin = 0, end = 0;
  std::int64_t first = 0, last = 0;
};

/// Result m stands at `start` + m * `spread` and reads the source pixels m * `step` + tap.offset.
struct TapSeries {
  std::int64_t start = 0, spread = 1;
  std::int64_t step = 1;
  std::vector<AxisTap> taps;  // by rising offset
  std::vector<TapStretch> stretches;
};

/// The results of the convolution: a single series.
std::vector<TapSeries> forward_taps(const ConvAxis& axis);
/// The pixels of its source, made from those of its result: one series for each residue of the
/// stride, as x[i] meets y[(i + before - k * dilation) / stride] where that is a whole number.
std::vector<TapSeries> backward_taps(const ConvAxis& axis);

}  // namespace segmentum::cpu
