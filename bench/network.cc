// Times one network on the cpu engine, by the protocol of bench/compare.py.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/architecture.h"
#include "bench/profile_tables.h"
#include "bench/program.h"
#include "bench/repetitions.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "losses/loss.h"
#include "model_file/model.h"
#include "train/optimizer.h"

namespace segmentum {
namespace {

constexpr int kChannels = 3, kClasses = 11;  // CamVid's

struct BenchOptions {
  Mode mode = Mode::infer;
  int size = 512;
  int batch = 1;
  Architecture architecture;
  std::string write;
  int threads = 2;
  int repeats = 0;
  bool profile = false;
  int top = 30;
  bool exact = false;
};

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
        analysis_(analyse(options.architecture.build(kChannels, kClasses), {&input_, 1})),
        net_(prepared(options.architecture.build(kChannels, kClasses), options.mode)),
        executor_(make_cpu_executor({.exact = options.exact})),
        plan_(executor_->plan(net_.graph, net_.parameters, {&input_, 1}, {.mode = options.mode})),
        image_(random_image(input_)),
        labels_(random_labels(input_)) {
    if (options.mode == Mode::train) optimizer_.emplace(OptimizerOptions{}, net_.parameters);
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

  const Graph& graph() const { return net_.graph; }
  /// Of the network as it was built; of the one that runs where it is looked at step by step.
  const Analysis& analysis() const { return analysis_; }
  Analysis analysis_as_run() const { return analyse(net_.graph, {&input_, 1}); }
  std::size_t plan_bytes() const { return plan_->memory_bytes(); }

 private:
  void learn() {
    segmentation_loss(plan_->output("logits"), labels_, {}, plan_->output_gradient("logits"));
    plan_->backward();
    optimizer_->step(net_.parameters, plan_->gradients(), 1e-3);
    clear_gradients(plan_->gradients());
  }

  BenchOptions options_;
  Shape input_;
  Analysis analysis_;
  GraphWithParameters net_;
  std::optional<Optimizer> optimizer_;  // train mode
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Plan> plan_;
  Tensor image_;
  std::vector<std::uint16_t> labels_;
};

void print_steps(NetworkBench& bench, const BenchOptions& options) {
  std::vector<std::vector<StepTime>> runs;
  for (int i = 0; i < std::max(options.repeats, 1); ++i) runs.push_back(bench.profile());
  print_profile(runs, bench.graph(), bench.analysis_as_run(), options.top);
}

/// The network with the weights that it starts from, for the others to read.
void write(const BenchOptions& options) {
  Model model;
  model.graph = options.architecture.build(kChannels, kClasses);
  model.parameters = initialise(model.graph, 1);
  for (int k = 0; k < kClasses; ++k)
    model.classes.push_back({.name = "class " + std::to_string(k)});
  save_model(options.write, model);
}

void run(const BenchOptions& options) {
  if (!options.write.empty()) return write(options);
  set_threads(options.threads);
  const std::int64_t start_rss = rss_bytes();
  NetworkBench bench(options);
  bench.run_once();  // packs weights, touches memory
  if (options.profile) return print_steps(bench, options);
  serve_repetitions(
      fmt::format("\"ready\":true,\"multiply_adds\":{},\"parameters\":{},\"start_rss_bytes\":{},"
                  "\"plan_bytes\":{}",
                  bench.analysis().multiply_adds, bench.analysis().parameters, start_rss,
                  bench.plan_bytes()),
      options.repeats, [&] { bench.run_once(); });
}

}  // namespace

int benchmark(int argc, char** argv) {
  CLI::App app{
      "Times a network on the cpu engine and prints one line of JSON for each repetition."};
  BenchOptions options;
  options.architecture.add_to(app);
  add_mode(app, options.mode);
  app.add_option("--size", options.size, "height and width of the pictures")->capture_default_str();
  app.add_option("--batch", options.batch, "pictures at a time")->capture_default_str();
  app.add_option("--write", options.write,
                 "write the untrained network to this model file instead");
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--repeats", options.repeats,
                 "repeat so often, then stop; 0: once for every line \"run\" of standard input")
      ->capture_default_str();
  app.add_flag("--profile", options.profile, "print where the time goes, step by step");
  app.add_option("--top", options.top, "steps that --profile shows")->capture_default_str();
  app.add_flag("--exact", options.exact, "no Winograd");
  CLI11_PARSE(app, argc, argv);
  run(options);
  return 0;
}

}  // namespace segmentum
