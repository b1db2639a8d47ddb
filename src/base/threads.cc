#include "base/threads.h"

#include <omp.h>

namespace segmentum {

int available_threads() {
  return omp_get_num_procs();
}

void set_threads(int n) {
  omp_set_num_threads(n > 0 ? n : available_threads());
}

int threads() {
  return omp_in_parallel() ? 1 : omp_get_max_threads();
}

ThreadsInScope::ThreadsInScope(int count) : before_(omp_get_max_threads()) {
  if (count > 0 && count != before_) omp_set_num_threads(count);
}

ThreadsInScope::~ThreadsInScope() {
  if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
}

}  // namespace segmentum
