// How many threads the library computes with, and a loop over them.
#pragma once

#include <cstdint>
#include <exception>

namespace segmentum {

/// Cores this process may use (respects affinity masks).
int available_threads();

/// Threads that parallel loops started from the calling thread use; n <= 0 means all available.
void set_threads(int n);
int threads();

/// The calling thread's number of threads, changed for as long as this lives.
class ThreadsInScope {
 public:
  /// `count` <= 0 changes nothing.
  explicit ThreadsInScope(int count);
  ~ThreadsInScope();
  ThreadsInScope(const ThreadsInScope&) = delete;
  ThreadsInScope& operator=(const ThreadsInScope&) = delete;

 private:
  int before_;
};

/// Calls body(i) for i in [0, n), split into contiguous static ranges, one for each thread.
/// Which thread computes which i never changes a result: every i writes only what is its own.
/// Of several i that throw, the exception of the least one is thrown here.
template <typename Body>
void parallel_for(std::int64_t n, const Body& body) {
  const int count = threads();
  if (n <= 1 || count <= 1) {
    for (std::int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::exception_ptr failure;
  std::int64_t failed = n;
#pragma omp parallel for schedule(static) num_threads(count)
  for (std::int64_t i = 0; i < n; ++i) {
    try {  // none may leave a parallel region
      body(i);
    } catch (...) {
#pragma omp critical(segmentum_parallel_for)
      if (i < failed) {
        failed = i;
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace segmentum
