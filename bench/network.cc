// Times one network on the cpu engine. bench/compare.py drives it side by side with PyTorch: a line
// "run" on standard input is one repetition, answered by one line of JSON.
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/profile_tables.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "losses/loss.h"
#include "models/registry.h"
#include "train/optimizer.h"

namespace segmentum {
namespace {

constexpr int kChannels = 3, kClasses = 11;  // CamVid's

struct BenchOptions {
  Mode mode = Mode::infer;
  int size = 512;
  int batch = 1;
  int width = 16;
  int depth = 4;
  int threads = 2;
  int repeats = 0;
  bool profile = false;
  int top = 30;
};

rusage usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used;
}

/// Of all threads: less moved by other work on the machine than seconds on the wall.
double cpu_seconds() {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage().ru_utime) + seconds(usage().ru_stime);
}

std::int64_t rss_bytes() {
  std::int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

Graph unet(const BenchOptions& options) {
  return build_model("unet", {.input_channels = kChannels,
                              .classes = kClasses,
                              .settings = {{"width", std::to_string(options.width)},
                                           {"depth", std::to_string(options.depth)}}});
}

Tensor random_image(const Shape& shape) {
  Tensor image(shape);
  RandomStream random(1, 0, 0);
  for (float& value : image.values()) value = static_cast<float>(random.normal());
  return image;
}

std::vector<std::uint16_t> random_labels(const Shape& shape) {
  std::vector<std::uint16_t> labels(static_cast<std::size_t>(shape.n() * shape.h() * shape.w()));
  RandomStream random(2, 0, 0);
  for (std::uint16_t& label : labels) label = static_cast<std::uint16_t>(random.below(kClasses));
  return labels;
}

/// A network with one batch to work on. `run_once` is what is timed.
class NetworkBench {
 public:
  explicit NetworkBench(const BenchOptions& options)
      : options_(options),
        input_{options.batch, kChannels, options.size, options.size},
        graph_(unet(options)),
        analysis_(analyse(graph_, {&input_, 1})),
        parameters_(initialise(graph_, 1)),
        executor_(make_cpu_executor()),
        plan_(executor_->plan(graph_, parameters_, {&input_, 1}, {.mode = options.mode})),
        image_(random_image(input_)),
        labels_(random_labels(input_)) {
    if (options.mode == Mode::train) optimizer_.emplace(OptimizerOptions{}, parameters_);
  }

  void run_once() {
    std::ranges::copy(image_.values(), plan_->input().values().begin());
    plan_->forward();
    if (options_.mode == Mode::train) learn();
  }

  std::vector<StepTime> profile() {
    std::ranges::copy(image_.values(), plan_->input().values().begin());
    return plan_->profile();
  }

  const Graph& graph() const { return graph_; }
  const Analysis& analysis() const { return analysis_; }
  std::size_t plan_bytes() const { return plan_->memory_bytes(); }

 private:
  void learn() {
    segmentation_loss(plan_->output("logits"), labels_, {}, plan_->output_gradient("logits"));
    plan_->backward();
    optimizer_->step(parameters_, plan_->gradients(), 1e-3);
    clear_gradients(plan_->gradients());
  }

  BenchOptions options_;
  Shape input_;
  Graph graph_;
  Analysis analysis_;
  ParameterStore parameters_;
  std::optional<Optimizer> optimizer_;  // train mode
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Plan> plan_;
  Tensor image_;
  std::vector<std::uint16_t> labels_;
};

void repeat_once(NetworkBench& bench) {
  using Clock = std::chrono::steady_clock;
  const double cpu_begin = cpu_seconds();
  const Clock::time_point begin = Clock::now();
  bench.run_once();
  const std::chrono::duration<double> taken = Clock::now() - begin;
  fmt::print(
      "{{\"seconds\":{:.6f},\"cpu_seconds\":{:.6f},\"plan_bytes\":{},\"peak_rss_bytes\":{}}}\n",
      taken.count(), cpu_seconds() - cpu_begin, bench.plan_bytes(),
      usage().ru_maxrss * std::int64_t{1024});
  std::fflush(stdout);
}

void serve(NetworkBench& bench) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line != "run") throw CLI::ValidationError("standard input", "expected lines \"run\"");
    repeat_once(bench);
  }
}

void print_steps(NetworkBench& bench, const BenchOptions& options) {
  std::vector<std::vector<StepTime>> runs;
  for (int i = 0; i < std::max(options.repeats, 1); ++i) runs.push_back(bench.profile());
  print_profile(runs, bench.graph(), bench.analysis(), options.top);
}

void run(const BenchOptions& options) {
  set_threads(options.threads);
  const std::int64_t start_rss = rss_bytes();
  NetworkBench bench(options);
  bench.run_once();  // packs weights, touches memory
  if (options.profile) return print_steps(bench, options);
  fmt::print("{{\"ready\":true,\"multiply_adds\":{},\"parameters\":{},\"start_rss_bytes\":{}}}\n",
             bench.analysis().multiply_adds, bench.analysis().parameters, start_rss);
  std::fflush(stdout);
  if (options.repeats == 0) return serve(bench);
  for (int i = 0; i < options.repeats; ++i) repeat_once(bench);
}

int main_with_errors(int argc, char** argv) {
  CLI::App app{"Times U-Net on the cpu engine and prints one line of JSON for each repetition."};
  BenchOptions options;
  app.add_option("--mode", options.mode, "infer | train")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Mode>{{"infer", Mode::infer}, {"train", Mode::train}}));
  app.add_option("--size", options.size, "height and width of the pictures")->capture_default_str();
  app.add_option("--batch", options.batch, "pictures at a time")->capture_default_str();
  app.add_option("--width", options.width, "channels of the first level")->capture_default_str();
  app.add_option("--depth", options.depth, "poolings")->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--repeats", options.repeats,
                 "repeat so often, then stop; 0: once for every line \"run\" of standard input")
      ->capture_default_str();
  app.add_flag("--profile", options.profile, "print where the time goes, step by step");
  app.add_option("--top", options.top, "steps that --profile shows")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  run(options);
  return 0;
}

}  // namespace
}  // namespace segmentum

int main(int argc, char** argv) {
  try {
    return segmentum::main_with_errors(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_network: {}\n", error.what());
    return 1;
  }
}
