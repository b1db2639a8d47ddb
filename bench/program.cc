#include "bench/program.h"

#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <filesystem>

int main(int argc, char** argv) {
  try {
    return segmentum::benchmark(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", std::filesystem::path(argv[0]).filename().string(),
               error.what());
    return 1;
  }
}
