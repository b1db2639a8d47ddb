// segmentum demo: everything once, on generated street scenes, in about a minute.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/dataset.h"
#include "data/scenes.h"
#include "engine/executor.h"
#include "infer/evaluate.h"
#include "infer/predict_files.h"
#include "metrics/score_table.h"
#include "train/config.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string out = "demo";
  int steps = 400;
  int seed = 1;
  int threads = 0;
  std::string json;
};

// Enough for a mean IoU of 0.85 or so; the colours of the pixels alone give less than 0.5.
constexpr SceneCounts kScenes{.train = 160, .val = 20, .test = 40};
constexpr SceneOptions kSceneOptions{.height = 160, .width = 208};
constexpr int kPredicted = 8;

TrainConfig config_of(const Request& request) {
  TrainConfig config;
  config.architecture = "unet";
  config.model = {{"width", "8"}};
  config.steps = request.steps;
  config.batch = 8;
  config.crop = 128;
  config.seed = request.seed;
  config.threads = request.threads;
  return config;
}

int demo(const Request& request) {
  catch_stop_signals();
  const fs::path out = request.out;
  TerminalProgress progress(Screen::standard_output());
  write_scenes(out / "scenes", kScenes, static_cast<std::uint64_t>(request.seed), kSceneOptions,
               &progress);
  const Dataset dataset = open_dataset(out / "scenes");
  const auto executor = make_cpu_executor();
  TrainConfig config = config_of(request);
  if (const char* extra = std::getenv("X")) read_train_config(config, read_file(extra), extra);
  const TrainSummary training = train(dataset, config, out / "run", false, *executor, progress);
  const Segmenter segmenter =
      Segmenter::load(training.model.string(), {.threads = request.threads});
  const Evaluation evaluation = evaluate(segmenter, dataset, "test", &progress);
  const Scores result = scores(evaluation.matrix);
  std::cout << score_table(result, dataset.classes);
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.option(request->out, "--out", "DIR", "folder for all of it (default: demo)");
  arguments.option(request->steps, "--steps", {1, 1e6}, "length of the training (default: )");
  arguments.option(request->seed, "--seed", {0, 1e9}, "of scenes and training (default: 1)");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return demo(*request); };
}

}  // namespace

const Command kDemoCommand{"demo", "everything once, on generated scenes, in about a minute",
                           "  segmentum demo --out demo\n", declare};

}  // namespace segmentum
