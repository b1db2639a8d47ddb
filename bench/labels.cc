// What labels and probabilities cost behind a network: from scores of the picture's size, which are
// written and read again, and row by row, where those never exist. In turns, processor time.
// `bench_labels deeplab_v3 --set backbone=resnet50 --size 513`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/architecture.h"
#include "bench/program.h"
#include "bench/timing.h"
#include "engine/executor.h"
#include "infer/labelling.h"

namespace segmentum {
namespace {

struct LabelsOptions {
  Architecture architecture;
  int size = 512, classes = 21, threads = 1, repeats = 9;
};

/// Times of one way, by what is done.
struct Times {
  std::vector<double> network, labels, probabilities;
};

/// The network that gives its outputs in one form, and what follows it.
class Way {
 public:
  Way(Executor& executor, GraphWithParameters& net, const Shape& input, OutputForm form)
      : plan_(executor.plan(net.graph, net.parameters, {&input, 1}, {.outputs = form})),
        tile_{{0, static_cast<int>(input.h()), 0, static_cast<int>(input.h())},
              {0, static_cast<int>(input.w()), 0, static_cast<int>(input.w())}} {
    RandomStream random(1, 0, 0);
    for (float& v : plan_->input().values()) v = static_cast<float>(random.normal());
    plan_->forward();
  }

  void run_once(LabelMap& labels, Probabilities& probabilities) {
    const double start = process_seconds();
    plan_->forward();
    const double computed = process_seconds();
    const ScoreRows& rows = plan_->rows("logits");
    label_tile(rows, tile_, labels);
    const double labelled = process_seconds();
    add_probabilities(rows, tile_, 1.0f, false, probabilities);
    times_.network.push_back(computed - start);
    times_.labels.push_back(labelled - computed);
    times_.probabilities.push_back(process_seconds() - labelled);
  }

  void print(const char* name) const {
    fmt::print("{:<24}{:>12.2f}{:>10.2f}{:>16.2f}{:>10.1f}\n", name, 1e3 * median(times_.network),
               1e3 * median(times_.labels), 1e3 * median(times_.probabilities),
               static_cast<double>(plan_->memory_bytes()) / (1 << 20));
  }

 private:
  std::unique_ptr<Plan> plan_;
  Tile tile_;
  Times times_;
};

int run(const LabelsOptions& options) {
  set_threads(options.threads);
  const int size = options.size;
  GraphWithParameters net = prepared(options.architecture.build(3, options.classes), Mode::infer);
  const auto executor = make_cpu_executor();
  Way whole(*executor, net, {1, 3, size, size}, OutputForm::whole);
  Way rows(*executor, net, {1, 3, size, size}, OutputForm::rows);
  LabelMap a(size, size), b(size, size);
  Probabilities p(std::max(options.classes, 2), size, size);
  for (int i = 0; i < options.repeats; ++i) {
    whole.run_once(a, p);
    rows.run_once(b, p);
  }
  fmt::print("{:<24}{:>12}{:>10}{:>16}{:>10}\n", "", "network, ms", "labels", "probabilities",
             "MiB");
  whole.print("from whole scores");
  rows.print("row by row");
  if (a == b) return 0;
  fmt::print("the labels differ\n");
  return 1;
}

}  // namespace

int benchmark(int argc, char** argv) {
  CLI::App app{"Times labels and probabilities behind a network, from whole scores and by rows."};
  LabelsOptions options;
  options.architecture.add_to(app);
  app.add_option("--size", options.size, "height and width of the picture")->capture_default_str();
  app.add_option("--classes", options.classes)->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--repeats", options.repeats, "medians of so many runs")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace segmentum
