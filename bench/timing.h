// What benchmarks measure with.
#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

namespace segmentum {

/// Of a clock of `clock_gettime`. Processor time is less moved by other work on the machine than
/// time on the wall.
inline double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
inline double process_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}
inline double thread_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/// Of equals or an even number of values, the upper.
inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace segmentum
