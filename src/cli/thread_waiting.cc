#include "cli/thread_waiting.h"

#include <unistd.h>

#include <cstdlib>

namespace segmentum {

void let_waiting_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (setenv("GOMP_SPINCOUNT", "2000", 0) == 0) execv("/proc/self/exe", argv);
}

}  // namespace segmentum
