// One convolution at one size, as every kernel for it is told.
#pragma once

#include <cstdint>

#include "graph/operators.h"

namespace segmentum::cpu {

/// From [n, ic, ih, iw] to [n, oc, oh, ow] with weights [oc, ic/groups, kh, kw].
struct ConvGeometry {
  std::int64_t n = 1, ic = 1, ih = 1, iw = 1, oc = 1, oh = 1, ow = 1;
  Size2 kernel, stride, dilation;
  Padding padding;
  int groups = 1;

  std::int64_t taps() const { return std::int64_t{kernel.h} * kernel.w; }
};

}  // namespace segmentum::cpu
