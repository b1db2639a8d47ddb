// segmentum train: from a data set to a run folder with the best model found.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/dataset.h"
#include "engine/executor.h"
#include "metrics/score_table.h"
#include "models/registry.h"
#include "models/settings.h"
#include "train/config.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string data;
  std::string model;
  std::string out;
  std::string config_file;
  std::vector<std::string> settings;
  std::optional<std::int64_t> steps;
  std::optional<double> epochs;
  std::optional<double> minutes;
  std::optional<std::int64_t> seed;
  int threads = 0;
  bool resume = false;
  std::string json;
};

void set_from_command_line(TrainConfig& config, const std::string& key, const std::string& value) {
  try {
    set_option(config, key, value);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

/// The file first, then --set in its order, then the options of their own.
TrainConfig config_of(const Request& request) {
  TrainConfig config;
  if (!request.config_file.empty()) {
    read_train_config(config, read_file(request.config_file), request.config_file);
  }
  for (const std::string& setting : request.settings) {
    const auto [key, value] = key_and_value(setting);
    set_from_command_line(config, key, value);
  }
  const auto set = [&](const char* key, const auto& value) {
    if (value) set_from_command_line(config, key, fmt::format("{}", *value));
  };
  if (request.steps.has_value() + request.epochs.has_value() + request.minutes.has_value() > 1) {
    throw UsageError("--steps, --epochs and --minutes are three ways to say how long; give one");
  }
  set("steps", request.steps);
  set("epochs", request.epochs);
  set("minutes", request.minutes);
  set("seed", request.seed);
  if (!request.model.empty()) config.architecture = request.model;
  if (request.threads > 0) config.threads = request.threads;
  return config;
}

/// Misspelt networks and settings are wrong usage, found before the data are read.
void check_model(const TrainConfig& config) {
  try {
    resolved_settings(config.architecture, {.settings = config.model});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

/// runs/DATA-MODEL, of the folder or the description that DATA names.
fs::path run_folder_of(const Request& request, const TrainConfig& config) {
  if (!request.out.empty()) return request.out;
  fs::path data = fs::weakly_canonical(request.data);
  if (data.filename() == "dataset.toml") data = data.parent_path();
  return fs::path("runs") / (data.stem().string() + "-" + config.architecture);
}

JsonObject json_of(const TrainSummary& summary, const Dataset& dataset) {
  JsonObject json;
  json.set("model", summary.model.string())
      .set("steps", summary.steps)
      .set("epochs", summary.epochs)
      .set("best_step", summary.best_step)
      .set("best_mean_iou", summary.best_mean_iou)
      .set("seconds", summary.seconds)
      .set("images_per_second", summary.images_per_second);
  if (summary.last_scores) {
    json.set_json("last_scores", score_json(*summary.last_scores, dataset.classes));
  }
  return json;
}

void tell(const TrainSummary& summary) {
  std::cout << fmt::format("Trained {} steps in {}", summary.steps, clock_text(summary.seconds));
  if (summary.images_per_second > 0) {
    std::cout << fmt::format(", {:.1f} pictures/s", summary.images_per_second);
  }
  if (summary.best_mean_iou) {
    std::cout << fmt::format("; best mean IoU {:.4f} after step {}", *summary.best_mean_iou,
                             summary.best_step);
  }
  std::cout << "\nModel: " << summary.model.string() << std::endl;
}

/// Scores of the best weights on the validation split, with the curves of the training.
void write_training_report(const TrainSummary& summary, const Dataset& dataset,
                           const Request& request, const fs::path& folder, ProgressSink& progress) {
  // A resumed run was told its splits when it began.
  TrainConfig config;
  read_train_config(config, read_file(folder / "config.toml"), (folder / "config.toml").string());
  if (!summary.best_mean_iou) return;
  const Segmenter segmenter = Segmenter::load(summary.model.string(), {.threads = config.threads});
  EvaluationPart part =
      evaluate_split(segmenter, dataset, request.data, config.val_split, std::nullopt, progress);
  std::cout << '\n' << score_table(scores(part.evaluation.matrix), part.classes) << '\n';
  write_model_report(folder / "report.html", "Training of " + folder.string(), summary.model,
                     std::move(part));
  std::cout << "Report: " << (folder / "report.html").string() << '\n'
            << "Next: " << program_invocation_name << " predict " << summary.model.string()
            << " PICTURES --out masks\n";
}

int train_command(const Request& request) {
  const TrainConfig config = config_of(request);
  check_model(config);
  const Dataset dataset = open_dataset(request.data);
  const fs::path folder = run_folder_of(request, config);
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_output());
  const auto executor = make_cpu_executor();
  TrainSummary summary;
  try {
    summary = train(dataset, config, folder, request.resume, *executor, progress);
  } catch (const Interrupted&) {
    std::cout << "Stopped after a checkpoint: the same command with --resume goes on from it.\n";
    throw;
  }
  tell(summary);
  write_json(request.json, json_of(summary, dataset));
  write_training_report(summary, dataset, request, folder, progress);
  return 0;
}

std::string settings_help() {
  std::string text = "\nSettings (--set KEY=VALUE) and their defaults:\n";
  for (const OptionDescription& option : train_options()) {
    text += fmt::format("  {:<28}{:<11} {}\n", option.key, option.value, option.about);
  }
  return text + fmt::format("  {:<40}of the network: segmentum models lists them\n", "model.NAME");
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->model, "--model", "NAME", "the network (default: unet)");
  arguments.option(request->out, "--out", "DIR", "the run's folder (default: runs/DATA-MODEL)");
  arguments.settings(request->settings, "a setting of the list below, such as lr=0.01");
  arguments.option(request->config_file, "--config", "FILE",
                   "settings as TOML, such as another run's config.toml");
  arguments.flag(request->resume, "--resume", "go on from the last checkpoint in the run's folder");
  arguments.option(request->epochs, "--epochs", {0, 1e9}, "length in passes over the pictures");
  arguments.option(request->minutes, "--minutes", {0, 1e6}, "length in minutes on this machine");
  arguments.option(request->steps, "--steps", {1, 1e12}, "length in steps");
  arguments.option(request->seed, "--seed", {0, 9e15}, "of weights, order and augmentation");
  arguments.threads(request->threads);
  arguments.json(request->json);
  arguments.help_footer(settings_help);
  return [request] { return train_command(*request); };
}

}  // namespace

const Command kTrainCommand{
    "train", "train a network on a data set",
    "  segmentum train pictures --model unet --out runs/first --minutes 20\n"
    "  segmentum train pictures --out runs/wide --set model.width=32 lr=0.001 --epochs 40\n"
    "  segmentum train pictures --out runs/wide --resume\n",
    declare, true};

}  // namespace segmentum
