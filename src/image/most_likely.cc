#include "image/most_likely.h"

#include <algorithm>

namespace segmentum {

void most_likely(const float* scores, std::ptrdiff_t plane, int classes, int width,
                 std::uint16_t* labels) {
  if (classes == 1) {
    std::transform(scores, scores + width, labels,
                   [](float logit) { return static_cast<std::uint16_t>(logit >= 0 ? 1 : 0); });
    return;
  }
  constexpr int kStretch = 256;
  float largest[kStretch];
  for (int first = 0; first < width; first += kStretch) {
    const int count = std::min(kStretch, width - first);
    std::uint16_t* label = labels + first;
    std::copy_n(scores + first, count, largest);
    std::fill_n(label, count, std::uint16_t{0});
    for (int k = 1; k < classes; ++k) {
      const float* score = scores + k * plane + first;
      for (int x = 0; x < count; ++x) {
        const bool better = score[x] > largest[x];
        largest[x] = better ? score[x] : largest[x];
        label[x] = better ? static_cast<std::uint16_t>(k) : label[x];
      }
    }
  }
}

}  // namespace segmentum
