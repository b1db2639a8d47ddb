// segmentum demo: everything once, on generated street scenes, in about a minute.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/version.h"
#include "cli/arguments.h"
#include "cli/build_facts.h"
#include "cli/demo_folder.h"
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
#include "train/run_folder.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

// About 75 s on 2 cores of 2020, and a mean IoU above 0.8 on scenes that the network has not seen.
constexpr int kScenes = 240;  // to train on
constexpr SceneOptions kSceneOptions{
    .height = 160, .width = 208, .variety = 0.5, .light = 0.5, .blur = 0.5, .noise = 0.5};
constexpr int kSteps = 1200;
constexpr int kPredicted = 8;

struct Request {
  std::string out = "demo";
  int scenes = kScenes;
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

/// In the places of `out`.
struct Places {
  explicit Places(const fs::path& out)
      : scenes(out / "scenes"),
        run(out / "run"),
        model(run / "best.segmentum"),
        predictions(out / "predictions"),
        report(out / "report.html") {}

  fs::path scenes, run, model, predictions, report;
};

SceneCounts counts_of(const Request& request) {
  return {.train = request.scenes,
          .val = std::max(1, request.scenes / 12),
          .test = std::max(1, request.scenes / 6)};
}

/// What scenes follow from.
std::string scene_key(const Request& request) {
  return fmt::format("segmentum {}, {} scenes of {}x{}, seed {}\n", segmentum_version(),
                     request.scenes, kSceneOptions.height, kSceneOptions.width, request.seed);
}

void make_scenes(const Request& request, const fs::path& folder, ProgressSink& progress) {
  if (noted(folder) == scene_key(request)) return;
  note_made(folder, "");
  write_scenes(folder, counts_of(request), static_cast<std::uint64_t>(request.seed), kSceneOptions,
               &progress);
  note_made(folder, scene_key(request));
}

void train_on_scenes(const Request& request, const Dataset& dataset, const fs::path& folder,
                     ProgressSink& progress) {
  progress.message(fmt::format("training a U-Net on {} generated scenes", request.scenes));
  const TrainConfig config = config_of(request);
  const bool resume = can_resume(folder, config) && noted(folder) == scene_key(request);
  note_made(folder, scene_key(request));
  if (!resume) RunFolder(folder).clear();
  train(dataset, config, folder, resume, *make_cpu_executor(), progress,
        run_facts(dataset.root.string()));
}

std::vector<std::string> first_unseen(const Dataset& dataset) {
  std::vector<std::string> files;
  for (const Sample& sample : dataset.split("test")) {
    if (static_cast<int>(files.size()) < kPredicted) files.push_back(dataset.root / sample.image);
  }
  return files;
}

/// What the demo found out.
struct Result {
  double mean_iou = 0;
  std::string scores;  // JSON on one line
  std::string table;
};

/// What a result follows from: scenes and model.
std::string result_key(const Request& request, const Places& places) {
  // The hash of this build of the program; another one scores again.
  return fmt::format("model {:016x}, {}", std::hash<std::string>()(read_file(places.model)),
                     scene_key(request));
}

/// That of an earlier demo with these options, if all that it left is still there.
std::optional<Result> earlier_result(const Request& request, const Places& places,
                                     const Dataset& dataset) {
  if (!can_resume(places.run, config_of(request))) return std::nullopt;
  if (!fs::exists(places.model) || !fs::exists(places.report)) return std::nullopt;
  for (const fs::path picture : first_unseen(dataset)) {
    if (!fs::exists(places.predictions / picture.filename())) return std::nullopt;
  }
  std::istringstream note(noted(places.predictions));
  std::string key, mean_iou;
  Result result;
  std::getline(note, key);
  if (key + '\n' != result_key(request, places)) return std::nullopt;
  std::getline(note, mean_iou);
  std::getline(note, result.scores);
  std::getline(note, result.table, '\0');
  result.mean_iou = std::stod(mean_iou);
  return result;
}

Result score_and_predict(const Request& request, const Places& places, const Dataset& dataset,
                         ProgressSink& progress) {
  const Segmenter segmenter = Segmenter::load(places.model.string(), {.threads = request.threads});
  EvaluationPart part =
      evaluate_split(segmenter, dataset, "generated scenes", "test", {}, progress);
  const Scores found = scores(part.evaluation.matrix);
  note_made(places.predictions, "");
  predict_files(segmenter, first_unseen(dataset), {.out = places.predictions, .overlay = true},
                &progress);
  write_model_report(places.report, "Segmentum demo", places.model, std::move(part));

  Result result{.mean_iou = found.mean_iou,
                .scores = score_json(found, dataset.classes),
                .table = score_table(found, dataset.classes)};
  std::ranges::replace(result.scores, '\n', ' ');
  note_made(places.predictions, fmt::format("{}{}\n{}\n{}", result_key(request, places),
                                            result.mean_iou, result.scores, result.table));
  return result;
}

void tell_what_is_where(const Places& places) {
  const auto line = [](const fs::path& path, const char* what) {
    std::cout << fmt::format("  {:<28}{}\n", path.string(), what);
  };
  std::cout << "\nLook at\n";
  line(places.report, "scores, curves, best and worst pictures, for a browser");
  line(places.predictions, "label maps and overlays of unseen scenes");
  line(places.run, "the training: its model, options, log and checkpoint");
  line(places.scenes, "the pictures and masks; all of this can be deleted");
  const std::string program = program_invocation_name, model = places.model;
  std::cout << fmt::format(
      "\nTry next\n"
      "  {0} describe {1}\n"
      "  {0} predict {1} {2} --out masks --overlay\n"
      "  {0} init FOLDER_OF_YOUR_PICTURES_AND_MASKS\n",
      program, model, (places.scenes / "test").string());
}

int demo(const Request& request) {
  catch_stop_signals();
  const auto start = std::chrono::steady_clock::now();
  const Places places(request.out);
  for (const fs::path& folder : {places.scenes, places.run, places.predictions}) {
    require_demo_folder(folder);
  }
  TerminalProgress progress(Screen::standard_output());
  make_scenes(request, places.scenes, progress);
  const Dataset dataset = open_dataset(places.scenes);
  std::optional<Result> result = earlier_result(request, places, dataset);
  const bool was_there = result.has_value();
  if (!was_there) {
    train_on_scenes(request, dataset, places.run, progress);
    result = score_and_predict(request, places, dataset, progress);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const int unseen = counts_of(request).test;
  std::cout << fmt::format(
      "\n{}\nmean IoU {:.4f} on {} scene{} that the network has never seen, {}\n", result->table,
      result->mean_iou, unseen, unseen == 1 ? "" : "s",
      was_there ? "as an earlier demo found: all of it was there already"
                : "in " + clock_text(seconds.count()));
  tell_what_is_where(places);
  write_json(request.json, JsonObject()
                               .set("mean_iou", result->mean_iou)
                               .set("steps", std::int64_t{request.steps})
                               .set("seconds", seconds.count())
                               .set_json("scores", result->scores));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.option(request->out, "--out", "DIR", "folder for all of it (default: demo)");
  arguments.option(request->scenes, "--scenes", {1, 1e5}, "to train on (default: 240)");
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
