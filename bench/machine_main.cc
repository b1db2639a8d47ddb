// Prints what this machine can do at best as one line of JSON. `bench_machine THREADS`
#include <fmt/core.h>

#include <cstdlib>

#include "base/threads.h"
#include "bench/program.h"
#include "profile/machine.h"

int segmentum::benchmark(int argc, char** argv) {
  set_threads(argc > 1 ? std::atoi(argv[1]) : 0);
  const MachineBest best = measure_machine();
  fmt::print(
      "{{\"threads\":{},\"vectors\":\"{}\",\"fma_gflops\":{:.1f},\"copy_gbytes\":{:.1f},"
      "\"triad_gbytes\":{:.1f}}}\n",
      threads(), best.vectors, best.fma_gflops, best.copy_gbytes, best.triad_gbytes);
  return 0;
}
