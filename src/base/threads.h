// How many threads the library computes with, and a loop over them.
#pragma once

#include <cstdint>

namespace segmentum {

/// Cores this process may use (respects affinity masks).
int available_threads();

/// Threads that parallel loops started from the calling thread use; n <= 0 means all available.
void set_threads(int n);
int threads();

/// Calls body(i) for i in [0, n), split into contiguous static ranges, one for each thread.
/// Which thread computes which i never changes a result: every i writes only what is its own.
template <typename Body>
void parallel_for(std::int64_t n, const Body& body) {
  const int count = threads();
  if (n <= 1 || count <= 1) {
    for (std::int64_t i = 0; i < n; ++i) body(i);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(count)
  for (std::int64_t i = 0; i < n; ++i) body(i);
}

}  // namespace segmentum
