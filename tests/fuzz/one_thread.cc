// Fuzzers compute on one thread: the library's threads without OpenMP, which Clang may lack.
#include "base/threads.h"

namespace segmentum {

int available_threads() {
  return 1;
}

void set_threads(int) {}

int threads() {
  return 1;
}

ThreadsInScope::ThreadsInScope(int) : before_(1) {}

ThreadsInScope::~ThreadsInScope() = default;

}  // namespace segmentum
