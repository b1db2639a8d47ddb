#include "bench/repetitions.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "bench/timing.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::int64_t peak_rss_bytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss * std::int64_t{1024};
}

void repeat(const std::function<void()>& once) {
  using Clock = std::chrono::steady_clock;
  const double processor_begin = process_seconds();
  const Clock::time_point begin = Clock::now();
  once();
  const std::chrono::duration<double> taken = Clock::now() - begin;
  fmt::print("{{\"seconds\":{:.6f},\"cpu_seconds\":{:.6f},\"peak_rss_bytes\":{}}}\n", taken.count(),
             process_seconds() - processor_begin, peak_rss_bytes());
  std::fflush(stdout);
}

}  // namespace

std::int64_t rss_bytes() {
  std::int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

void serve_repetitions(const std::string& about, int repeats, const std::function<void()>& once) {
  fmt::print("{{{}}}\n", about);
  std::fflush(stdout);
  for (int i = 0; i < repeats; ++i) repeat(once);
  if (repeats != 0) return;
  for (std::string line; std::getline(std::cin, line);) {
    if (line != "run") throw Error("standard input: expected lines \"run\"");
    repeat(once);
  }
}

}  // namespace segmentum
