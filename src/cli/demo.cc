// segmentum demo: everything once, on generated street scenes, in about a minute.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/dataset.h"
#include "data/scenes.h"
#include "engine/executor.h"
#include "infer/predict_files.h"
#include "metrics/score_table.h"
#include "train/config.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

// About 75 s on 2 cores of 2020, and a mean IoU above 0.8 on scenes that the network has not seen.
constexpr SceneCounts kScenes{.train = 240, .val = 20, .test = 40};
constexpr SceneOptions kSceneOptions{
    .height = 160, .width = 208, .variety = 0.5, .light = 0.5, .blur = 0.5, .noise = 0.5};
constexpr int kSteps = 1200;
constexpr int kPredicted = 8;

struct Request {
  std::string out = "demo";
  int steps = kSteps;
  int seed = 1;
  int threads = 0;
  std::string json;
};

TrainConfig config_of(const Request& request) {
  TrainConfig config;
  config.architecture = "unet";
  config.model = {{"width", "8"}};
  config.steps = request.steps;
  config.batch = 2;
  config.crop = 160;
  config.lr = 4e-3;
  // Scenes are generated all alike: enlarged or darkened ones would only be harder to learn.
  config.augment = {.scale_min = 1, .scale_max = 1};
  config.class_weight_cap = 4;
  config.validate_every = 2;
  config.seed = request.seed;
  config.threads = request.threads;
  return config;
}

/// True if the run in `folder` began with these options, so that it can go on, or is done already.
bool can_resume(const fs::path& folder, const TrainConfig& config) {
  if (!fs::exists(folder / "checkpoint.safetensors")) return false;
  TrainConfig begun;
  read_train_config(begun, read_file(folder / "config.toml"), (folder / "config.toml").string());
  return begun.steps == config.steps && begun.seed == config.seed && begun.crop == config.crop &&
         begun.batch == config.batch && begun.lr == config.lr &&
         (config.threads == 0 || begun.threads == config.threads);
}

TrainSummary train_on_scenes(const Request& request, const Dataset& dataset, const fs::path& folder,
                             ProgressSink& progress) {
  const TrainConfig config = config_of(request);
  const bool resume = can_resume(folder, config);
  if (!resume && fs::exists(folder / "config.toml")) fs::remove_all(folder);
  return train(dataset, config, folder, resume, *make_cpu_executor(), progress);
}

std::vector<std::string> first_unseen(const Dataset& dataset) {
  std::vector<std::string> files;
  for (const Sample& sample : dataset.split("test")) {
    if (static_cast<int>(files.size()) < kPredicted) files.push_back(dataset.root / sample.image);
  }
  return files;
}

void tell_what_is_where(const fs::path& out) {
  const auto line = [](const fs::path& path, const char* what) {
    std::cout << fmt::format("  {:<28}{}\n", path.string(), what);
  };
  std::cout << "\nLook at\n";
  line(out / "report.html", "scores, curves, best and worst pictures, for a browser");
  line(out / "predictions", "label maps and overlays of unseen scenes");
  line(out / "run", "the training: its model, options, log and checkpoint");
  line(out / "scenes", "the pictures and masks; all of this can be deleted");
  const std::string program = program_invocation_name, model = out / "run" / "best.segmentum";
  std::cout << fmt::format(
      "\nTry next\n"
      "  {0} describe {1}\n"
      "  {0} predict {1} {2} --out masks --overlay\n"
      "  {0} init FOLDER_OF_YOUR_PICTURES_AND_MASKS\n",
      program, model, (out / "scenes" / "test").string());
}

int demo(const Request& request) {
  catch_stop_signals();
  const auto start = std::chrono::steady_clock::now();
  const fs::path out = request.out;
  TerminalProgress progress(Screen::standard_output());
  write_scenes(out / "scenes", kScenes, static_cast<std::uint64_t>(request.seed), kSceneOptions,
               &progress);
  const Dataset dataset = open_dataset(out / "scenes");
  progress.message(fmt::format("training a U-Net on {} generated scenes", kScenes.train));
  const TrainSummary training = train_on_scenes(request, dataset, out / "run", progress);

  const Segmenter segmenter =
      Segmenter::load(training.model.string(), {.threads = request.threads});
  EvaluationPart part =
      evaluate_split(segmenter, dataset, "generated scenes", "test", {}, progress);
  const Scores result = scores(part.evaluation.matrix);
  predict_files(segmenter, first_unseen(dataset), {.out = out / "predictions", .overlay = true},
                &progress);
  write_model_report(out / "report.html", "Segmentum demo", training.model, std::move(part));

  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << '\n'
            << score_table(result, dataset.classes)
            << fmt::format(
                   "\nmean IoU {:.4f} on {} scenes that the network has never seen, in {}\n",
                   result.mean_iou, kScenes.test, clock_text(seconds.count()));
  tell_what_is_where(out);
  write_json(request.json, JsonObject()
                               .set("mean_iou", result.mean_iou)
                               .set("steps", training.steps)
                               .set("seconds", seconds.count())
                               .set_json("scores", score_json(result, dataset.classes)));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.option(request->out, "--out", "DIR", "folder for all of it (default: demo)");
  arguments.option(request->steps, "--steps", {1, 1e6}, "length of the training (default: 1200)");
  arguments.option(request->seed, "--seed", {0, 1e9}, "of scenes and training (default: 1)");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return demo(*request); };
}

}  // namespace

const Command kDemoCommand{"demo", "everything once, on generated scenes, in about a minute",
                           "  segmentum demo --out demo\n", declare, true};

}  // namespace segmentum
