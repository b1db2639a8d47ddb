#include "engine/resize_taps.h"

#include <algorithm>

namespace segmentum {

std::vector<ResizeTap> resize_taps(std::int64_t in, std::int64_t out, Interpolation mode,
                                   bool align_corners) {
  std::vector<ResizeTap> taps(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    ResizeTap& tap = taps[static_cast<std::size_t>(i)];
    if (mode == Interpolation::nearest) {
      tap.first = tap.second = std::min((2 * i + 1) * in / (2 * out), in - 1);
      continue;
    }
    double position = 0;
    if (align_corners) {
      position = out > 1 ? static_cast<double>(i * (in - 1)) / static_cast<double>(out - 1) : 0.0;
    } else {
      position =
          (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
      position = std::max(position, 0.0);
    }
    tap.first = std::min(static_cast<std::int64_t>(position), in - 1);
    tap.second = std::min(tap.first + 1, in - 1);
    tap.weight = static_cast<float>(position - static_cast<double>(tap.first));
  }
  return taps;
}

}  // namespace segmentum
