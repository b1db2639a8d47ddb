// How far the cpu engine's paths are from plain loops in double: with Winograd's convolutions, and
// exact. `bench_accuracy unet --set width=32 --size 96`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/architecture.h"
#include "bench/program.h"
#include "engine/executor.h"
#include "engine/reference/reference_plan.h"

namespace segmentum {
namespace {

struct AccuracyOptions {
  Architecture architecture;
  int size = 96, classes = 21, threads = 1, repeats = 5;
};

Tensor random_picture(const Shape& shape) {
  Tensor picture(shape);
  RandomStream random(1, 0, 0);
  for (float& v : picture.values()) v = static_cast<float>(random.normal());
  return picture;
}

BasicTensor<double> reference(GraphWithParameters& net, const Tensor& picture) {
  ReferencePlan<double> plan(net.graph, net.parameters, {&picture.shape(), 1}, {});
  std::ranges::copy(picture.values(), plan.input().values().begin());
  plan.forward();
  BasicTensor<double> logits(plan.output("logits").shape);
  std::ranges::copy(plan.output("logits").values(), logits.values().begin());
  return logits;
}

void compare(const char* name, const CpuOptions& how, GraphWithParameters& net,
             const Tensor& picture, const BasicTensor<double>& want, int repeats) {
  const auto plan =
      make_cpu_executor(how)->plan(net.graph, net.parameters, {&picture.shape(), 1}, {});
  std::ranges::copy(picture.values(), plan->input().values().begin());
  double best = 1e30;
  for (int i = 0; i < repeats + 1; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    plan->forward();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (i > 0) best = std::min(best, taken.count());
  }
  const auto have = plan->output("logits").values();
  double worst = 0, sum = 0, range = 0;
  for (std::size_t i = 0; i < have.size(); ++i) {
    const double off = std::abs(have[i] - want.values()[i]);
    worst = std::max(worst, off);
    sum += off;
    range = std::max(range, std::abs(want.values()[i]));
  }
  fmt::print("{:<16}{:>12.1e}{:>12.1e}{:>12.2f}\n", name, worst / range,
             sum / static_cast<double>(have.size()) / range, 1e3 * best);
}

int run(const AccuracyOptions& options) {
  set_threads(options.threads);
  GraphWithParameters net = prepared(options.architecture.build(3, options.classes), Mode::infer);
  const Tensor picture = random_picture({1, 3, options.size, options.size});
  const BasicTensor<double> want = reference(net, picture);
  fmt::print("{:<16}{:>12}{:>12}{:>12}\n", "of the range", "largest", "mean", "fastest, ms");
  compare("Winograd", {}, net, picture, want, options.repeats);
  compare("exact", {.exact = true}, net, picture, want, options.repeats);
  return 0;
}

}  // namespace

int benchmark(int argc, char** argv) {
  CLI::App app{
      "Differences of a network's logits from plain loops in double, as parts of their "
      "range."};
  AccuracyOptions options;
  options.architecture.add_to(app);
  app.add_option("--size", options.size, "height and width of the picture")->capture_default_str();
  app.add_option("--classes", options.classes)->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--repeats", options.repeats)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace segmentum
