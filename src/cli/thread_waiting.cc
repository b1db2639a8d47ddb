#include "cli/thread_waiting.h"

#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

namespace segmentum {

void shorten_thread_spinning(char** argv) {
  for (const char* set : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}) {
    if (std::getenv(set) != nullptr) return;
  }
  ::setenv("GOMP_SPINCOUNT", "20000", 1);  // some 20 us: longer than the gaps between kernels
  ::execv("/proc/self/exe", argv);
}

}  // namespace segmentum
