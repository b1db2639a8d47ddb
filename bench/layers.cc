// Any network, layer by layer, against what this machine can do. Exits with 1 if a step runs on
// reference loops. `bench_layers unet --set width=16 --size 512 --mode train`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/architecture.h"
#include "bench/layer_table.h"
#include "data/scenes.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "image/preprocess.h"

namespace segmentum {
namespace {

struct LayersOptions {
  Architecture architecture;
  Mode mode = Mode::infer;
  int size = 512, batch = 1, channels = 3, classes = 21;
  int threads = 1;
  int repeats = 9;
  bool exact = false;
};

/// Generated scenes, since the time of a CRF depends on how many colours there are; noise where
/// they do not fit.
void fill_pictures(TensorView batch) {
  RandomStream random(1, 0, 0);
  for (float& v : batch.values()) v = static_cast<float>(random.normal());
  const Preprocess preprocess;
  if (batch.shape.c() != preprocess.channels()) return;
  const SceneOptions scene{.height = static_cast<int>(batch.shape.h()),
                           .width = static_cast<int>(batch.shape.w())};
  for (std::int64_t n = 0; n < batch.shape.n(); ++n) {
    to_tensor(generate_scene(1, static_cast<std::uint32_t>(n), scene).image, preprocess, batch, n);
  }
}

int run(const LayersOptions& options) {
  set_threads(options.threads);
  GraphWithParameters net =
      prepared(options.architecture.build(options.channels, options.classes), options.mode);
  const Shape input{options.batch, options.channels, options.size, options.size};
  const Analysis analysis = analyse(net.graph, {&input, 1});
  const auto plan = make_cpu_executor({.exact = options.exact})
                        ->plan(net.graph, net.parameters, {&input, 1}, {.mode = options.mode});
  fill_pictures(plan->input());
  plan->profile();  // packs weights, touches memory
  std::vector<std::vector<StepTime>> runs;
  for (int i = 0; i < std::max(options.repeats, 1); ++i) runs.push_back(plan->profile());
  return print_layers(runs, net.graph, analysis, measure_machine()) == 0 ? 0 : 1;
}

int main_with_errors(int argc, char** argv) {
  CLI::App app{"Times every layer of a network on the cpu engine against the machine's best."};
  LayersOptions options;
  options.architecture.add_to(app);
  add_mode(app, options.mode);
  app.add_option("--size", options.size, "height and width of the pictures")->capture_default_str();
  app.add_option("--batch", options.batch, "pictures at a time")->capture_default_str();
  app.add_option("--channels", options.channels)->capture_default_str();
  app.add_option("--classes", options.classes)->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--repeats", options.repeats, "of each step the fastest run counts")
      ->capture_default_str();
  app.add_flag("--exact", options.exact, "no Winograd");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

}  // namespace
}  // namespace segmentum

int main(int argc, char** argv) {
  try {
    return segmentum::main_with_errors(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_layers: {}\n", error.what());
    return 1;
  }
}
