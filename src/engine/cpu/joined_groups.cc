#include "engine/cpu/joined_groups.h"

#include <algorithm>

namespace segmentum::cpu {

JoinedGroups::JoinedGroups(const ConvGeometry& g, int block)
    : results_(g.oc / g.groups), read_(g.ic / g.groups), taps_(g.taps()), groups_(g.groups) {
  const auto fills = [&](int together) {
    return g.groups % together == 0 && results_ * together % block == 0 &&
           read_ * together % block == 0;
  };
  while (together_ < g.groups && !fills(together_)) ++together_;
}

ConvGeometry JoinedGroups::joined(ConvGeometry geometry) const {
  geometry.groups /= together_;
  return geometry;
}

Tensor JoinedGroups::weights(const float* parameter) const {
  Tensor wide({groups_ * results_, read_ * together_, taps_});
  const std::int64_t count = read_ * taps_;
  for (std::int64_t o = 0; o < groups_ * results_; ++o) {
    const std::int64_t place = o / results_ % together_;
    std::copy_n(parameter + o * count, count, wide.data() + (o * together_ + place) * count);
  }
  return wide;
}

}  // namespace segmentum::cpu
