#include "crf/rows.h"

#include <algorithm>

namespace segmentum {

Bands::Bands(std::int64_t pixels) : pixels_(pixels) {
  // Enough for many threads, large enough that neighbouring pixels share most of their vertices.
  constexpr std::int64_t kLeast = 8192, kMost = 64;
  const std::int64_t wanted = std::min((pixels + kLeast - 1) / kLeast, kMost);
  count_ = static_cast<int>(wanted <= 8 ? wanted : (wanted + 7) / 8 * 8);
}

std::int64_t block_pixels(int stride) {
  constexpr int kFloats = 3072;
  return std::clamp(kFloats / stride, 4, 256);
}

}  // namespace segmentum
