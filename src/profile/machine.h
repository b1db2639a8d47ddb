// What this machine can do at best: the measure of every benchmark.
#pragma once

#include <string>

namespace segmentum {

struct MachineBest {
  std::string vectors;      // the instruction set in use
  double fma_gflops = 0;    // multiply-adds with all data in registers, two operations each
  double copy_gbytes = 0;   // bytes a second to and from memory, two arrays
  double triad_gbytes = 0;  // three
  double gbytes() const { return copy_gbytes > triad_gbytes ? copy_gbytes : triad_gbytes; }
};

/// On as many threads as the caller has set; takes some seconds and 400 MB.
MachineBest measure_machine();

}  // namespace segmentum
