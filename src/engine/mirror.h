// Periodic mirror padding: one rule for every engine.
#pragma once

#include <cstdint>

namespace segmentum {

/// Where position `i`, which may lie outside, finds its value in [0, size): reflected at the edges
/// without repeating them, periodically; a side of 1 is replicated.
inline std::int64_t mirror_index(std::int64_t i, std::int64_t size) {
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t phase = ((i % period) + period) % period;
  return phase < size ? phase : period - phase;
}

}  // namespace segmentum
