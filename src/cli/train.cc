// segmentum train: from a data set to a run folder with the best model found.
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/build_facts.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "cli/train_seeds.h"
#include "configure/choose.h"
#include "data/check/check.h"
#include "data/dataset_file.h"
#include "data/inspect.h"
#include "engine/executor.h"
#include "infer/evaluate_boxes.h"
#include "metrics/score_table.h"
#include "models/registry.h"
#include "models/settings.h"
#include "train/config.h"
#include "train/setup.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string data;
  std::string model;
  std::string out;
  std::string init;
  std::string freeze;
  std::string config_file;
  std::vector<std::string> settings;
  std::optional<std::int64_t> steps;
  std::optional<double> epochs;
  std::optional<double> minutes;
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> seeds;
  int threads = 0;
  bool resume = false;
  bool fixed = false;
  std::string json;
};

/// All that the person set, in the order in which it counts: the file first, then --set in its
/// order, then the options of their own.
std::vector<TrainSetting> settings_of(const Request& request) {
  std::vector<TrainSetting> settings;
  if (!request.config_file.empty()) {
    settings = parse_train_config(read_file(request.config_file), request.config_file);
  }
  for (const std::string& setting : request.settings) {
    const auto [key, value] = key_and_value(setting);
    settings.push_back({key, value, ""});
  }
  if (request.steps.has_value() + request.epochs.has_value() + request.minutes.has_value() > 1) {
    throw UsageError("--steps, --epochs and --minutes are three ways to say how long; give one");
  }
  const auto set = [&](const char* key, const auto& value) {
    if (value) settings.push_back({key, fmt::format("{}", *value), ""});
  };
  set("steps", request.steps);
  set("epochs", request.epochs);
  set("minutes", request.minutes);
  set("seed", request.seed);
  const auto set_text = [&](const char* key, const std::string& value) {
    if (!value.empty()) settings.push_back({key, value, ""});
  };
  set_text("architecture", request.model);
  set_text("init", request.init);
  set_text("freeze", request.freeze);
  if (request.threads > 0) settings.push_back({"threads", std::to_string(request.threads), ""});
  return settings;
}

/// The settings that are not left open.
std::set<std::string> decided(const std::vector<TrainSetting>& settings) {
  std::set<std::string> keys;
  for (const TrainSetting& setting : settings) {
    if (setting.value != "auto") keys.insert(setting.key);
  }
  return keys;
}

TrainConfig config_of(const std::vector<TrainSetting>& settings) {
  TrainConfig config;
  for (const TrainSetting& setting : settings) {
    try {
      set_option(config, setting.key, setting.value);
    } catch (const Error& error) {
      if (setting.place.empty()) throw UsageError(error.what());
      throw Error::in_file(setting.place, error.what());
    }
  }
  return config;
}

/// What --resume goes on with is decided: settings that say something else are wrong usage.
void check_resumed(const std::vector<TrainSetting>& given, const TrainConfig& config,
                   const fs::path& folder) {
  const fs::path file = folder / "config.toml";
  TrainConfig run;
  read_train_config(run, read_file(file), file.string());
  if (const auto difference = difference_from_run(given, config, run)) {
    throw UsageError(fmt::format(
        "{} ({}); a resumed run keeps the settings it was started with: leave this one out, or "
        "train in another folder",
        *difference, file.string()));
  }
}

/// Misspelt networks and settings are wrong usage, found before the data are read. The network of
/// --init is looked up here, so that the run's folder can be named after it.
void decide_model(TrainConfig& config) {
  const std::optional<Model> init = load_init(config);
  decide_network(config, init ? &*init : nullptr);
  try {
    resolved_settings(*config.architecture, {.settings = config.model});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

/// runs/DATA, of the folder or the description that DATA names, or runs/DATA-MODEL where the
/// network is not to be chosen.
fs::path run_folder_of(const Request& request, const TrainConfig& config,
                       const std::set<std::string>& given) {
  if (!request.out.empty()) return request.out;
  fs::path data = fs::weakly_canonical(request.data);
  if (data.filename() == "dataset.toml") data = data.parent_path();
  const bool open = !request.fixed && config.init.empty() && !given.contains("architecture");
  return fs::path("runs") / (data.stem().string() + (open ? "" : "-" + *config.architecture));
}

JsonObject json_of(const TrainSummary& summary, const Dataset& dataset) {
  JsonObject json;
  json.set("model", summary.model.string())
      .set("steps", summary.steps)
      .set("epochs", summary.epochs)
      .set("best_step", summary.best_step)
      .set("best_mean_iou", summary.best_mean_iou)
      .set("seconds", summary.seconds)
      .set("images_per_second", summary.images_per_second)
      .set("step_images_per_second", summary.step_images_per_second);
  if (summary.last_scores) {
    json.set_json("last_scores", score_json(*summary.last_scores, dataset.classes));
  }
  return json;
}

void tell(const TrainSummary& summary) {
  std::cout << fmt::format("Trained {} in {}", counted(summary.steps, "step"),
                           clock_text(summary.seconds));
  if (summary.images_per_second > 0) {
    std::cout << fmt::format(", {:.1f} pictures/s", summary.images_per_second);
  }
  if (summary.best_mean_iou) {
    std::cout << fmt::format("; best mean IoU {:.4f} after step {}", *summary.best_mean_iou,
                             summary.best_step);
  }
  std::cout << "\nModel: " << summary.model.string() << std::endl;
}

/// Scores of the best weights on the validation split, with the curves of the training. Returns
/// the scores where there is such a split and pixels were classified.
std::optional<Scores> write_training_report(const TrainSummary& summary, const Dataset& dataset,
                                            const Request& request, const fs::path& folder,
                                            ProgressSink& progress) {
  // A resumed run was told its splits when it began.
  TrainConfig config;
  read_train_config(config, read_file(folder / "config.toml"), (folder / "config.toml").string());
  if (!summary.best_mean_iou) return std::nullopt;
  if (box_crop(*config.architecture, {.settings = config.model})) {
    BoxSegmenter segmenter =
        BoxSegmenter::load(summary.model.string(), {.threads = config.threads});
    const BoxEvaluation scores =
        evaluate_true_boxes(segmenter, dataset, config.val_split, &progress);
    std::cout << '\n'
              << box_score_table(scores) << '\n'
              << "Next: " << program_invocation_name << " predict " << summary.model.string()
              << " PICTURES --boxes FILE --out objects\n";
    return std::nullopt;
  }
  const Segmenter segmenter = Segmenter::load(summary.model.string(), {.threads = config.threads});
  EvaluationPart part =
      evaluate_split(segmenter, dataset, request.data, config.val_split, {}, progress);
  const Scores reached = scores(part.evaluation.matrix);
  std::cout << '\n' << score_table(reached, part.classes) << '\n';
  write_model_report(folder / "report.html", "Training of " + folder.string(), summary.model,
                     std::move(part));
  std::cout << "Report: " << (folder / "report.html").string() << '\n'
            << "Next: " << program_invocation_name << " predict " << summary.model.string()
            << " PICTURES --out masks\n";
  return reached;
}

/// Warnings are lines; the first error ends the training before it begins.
void check_data(const Dataset& dataset, const TrainConfig& config, const Request& request) {
  const std::string more = fmt::format("`segmentum check {}` tells more", request.data);
  const Checkup checkup =
      quick_check(dataset, {.splits = {config.train_split, config.val_split},
                            .described = !description_of(request.data).empty()});
  for (const Finding& finding : checkup.findings) {
    const std::string line = line_of(finding);
    if (finding.severity == Severity::error) {
      throw Error::in_file(request.data,
                           fmt::format("{}; {}, --set check=off trains anyway", line, more));
    }
    std::cout << "Warning: " << line << "; " << more << std::endl;
  }
}

/// One training, known in all but its data.
struct Run {
  Request request;
  TrainConfig config;
  std::set<std::string> given;  // the settings that the person decided
  fs::path folder;
  bool begun = false;  // --resume, and there is something to resume
};

/// Wrong usage is found here, before the data are read.
Run prepare_run(const Request& request) {
  const std::vector<TrainSetting> settings = settings_of(request);
  Run run{
      .request = request, .config = config_of(settings), .given = decided(settings), .folder = {}};
  run.begun = request.resume && fs::exists(fs::path(request.out) / "config.toml");
  if (!run.begun) decide_model(run.config);  // a run that has begun needs its init model no more
  run.folder = run_folder_of(request, run.config, run.given);
  run.begun = request.resume && fs::exists(run.folder / "config.toml");
  if (run.begun) check_resumed(settings, run.config, run.folder);
  return run;
}

/// The same training with --seeds seeds, each in a folder of its own.
std::vector<Run> prepare_seeds(const Request& request) {
  Request each = request;
  const std::vector<TrainSetting> settings = settings_of(request);
  TrainConfig config = config_of(settings);
  if (request.out.empty()) decide_model(config);
  const fs::path folder = run_folder_of(request, config, decided(settings));
  std::vector<Run> runs;
  for (std::int64_t i = 0; i < *request.seeds; ++i) {
    each.seed = config.seed + i;
    each.out = (folder / fmt::format("seed{}", *each.seed)).string();
    runs.push_back(prepare_run(each));
  }
  return runs;
}

/// What was chosen for a training of the same seeds that has begun.
std::vector<Choice> choices_in(const fs::path& file, const std::set<std::string>& given) {
  std::vector<Choice> choices;
  for (const TrainSetting& setting : parse_train_config(read_file(file), file.string())) {
    const std::string key = setting.key == "asked.minutes" ? "minutes" : setting.key;
    if (!can_be_chosen(key) || given.contains(key) || setting.value == "auto") continue;
    choices.push_back({key, setting.value, "as in " + file.parent_path().filename().string()});
  }
  return choices;
}

/// Sets what nobody set, in all trainings that have not begun alike, and tells of it.
void choose(std::vector<Run>& runs, const Dataset& dataset, ProgressSink& progress) {
  const auto open = std::ranges::find(runs, false, &Run::begun);
  if (open == runs.end() || open->request.fixed) return;
  const auto begun = std::ranges::find(runs, true, &Run::begun);
  const std::vector<Choice> choices =
      begun != runs.end()
          ? choices_in(begun->folder / "config.toml", open->given)
          : choose_settings(dataset, open->config, open->given, *make_cpu_executor(), progress);
  if (choices.empty()) return;
  progress.message(
      "chosen for these data and this machine (what you set is not; --fixed: nothing is)");
  for (const std::string& line : choice_table(choices)) progress.message(line);
  for (Run& run : runs) {
    if (!run.begun) set_choices(choices, run.config);
  }
}

SeedRun train_run(const Run& run, const Dataset& dataset, TerminalProgress& progress) {
  const Request& request = run.request;
  const auto executor = make_cpu_executor();
  TrainSummary summary;
  try {
    summary = train(dataset, run.config, run.folder, request.resume, *executor, progress,
                    run_facts(request.data));
  } catch (const Interrupted&) {
    std::cout << "Stopped after a checkpoint: the same command with --resume goes on from it.\n";
    throw;
  }
  tell(summary);
  if (!request.seeds) write_json(request.json, json_of(summary, dataset));
  const auto reached = write_training_report(summary, dataset, request, run.folder, progress);
  return {.seed = run.config.seed,
          .folder = run.folder,
          .mean_iou = summary.best_mean_iou,
          .scores = reached};
}

void tell_of_seeds(const Request& request, const std::vector<SeedRun>& runs,
                   const Dataset& dataset) {
  const JsonObject json = seed_json(runs, dataset.classes);
  const fs::path file = runs.front().folder.parent_path() / "seeds.json";
  write_json(file.string(), json);
  write_json(request.json, json);
  std::cout << '\n' << seed_table(runs, dataset.classes) << "\nWrote " << file.string() << '\n';
}

int train_command(const Request& request) {
  std::vector<Run> runs =
      request.seeds ? prepare_seeds(request) : std::vector{prepare_run(request)};
  TerminalProgress progress(Screen::standard_output());
  const Dataset dataset = open_dataset(request.data, progress);
  const bool all_begun = std::ranges::all_of(runs, &Run::begun);
  const TrainConfig& config = runs.front().config;
  if (!all_begun && config.data_check == DataCheck::on) check_data(dataset, config, request);
  catch_stop_signals();
  choose(runs, dataset, progress);
  std::vector<SeedRun> done;
  for (const Run& run : runs) {
    if (request.seeds) {
      std::cout << fmt::format("{}Seed {}: {}\n", done.empty() ? "" : "\n", run.config.seed,
                               run.folder.string());
    }
    done.push_back(train_run(run, dataset, progress));
  }
  if (request.seeds) tell_of_seeds(request, done, dataset);
  return 0;
}

constexpr const char* kHowItWorks = R"(
What is not set is chosen from the data, the machine and the time there is: length (20 minutes),
crop, network, its depth and width, batch, loss and augmentation. Each choice is shown with its reason
and stands in the run's config.toml, which repeats the run; docs/training.md tells the rules. --fixed
chooses nothing: the defaults below count, and without --steps, --epochs or --minutes a training
takes 2,000 steps, and at least 10 epochs.

--set takes one or more KEY=VALUE, up to the next option, and may be repeated. --config is read
first, then --set, then the options that have a name of their own; what is said last counts.

--out is where the run leaves config.toml (every setting), manifest.json and data.sha256 (all that
it follows from: segmentum rerun), log.jsonl, checkpoint.safetensors, best.segmentum (the model) and
report.html. A folder that holds a training is refused without --resume, which goes on from its last
checkpoint to the same bits as an unbroken run. A resumed run keeps its own settings: what is given
again must be the same, or the exit status is 2.

--init starts from another model's weights: all whose names and shapes agree, and says which do not.
Network, its settings and the normalisation of pictures are that model's unless they are set. With
--model it may be another network of the family, such as fcn16s from fcn32s. --freeze and
--set lr.PART=FACTOR take parts (backbone: what a classifier's weights are for; head: a part of that
name, or all but the backbone), the first words of names (encoder.0) or patterns ("*.bias").

--seeds 3 trains three times, with seeds 1, 2, 3 (or from --seed on), in DIR/seed1, DIR/seed2,
DIR/seed3, each as long as one training, and tells the mean and spread of their scores (also in
DIR/seeds.json). With --resume it goes on where it stopped.

Exit status: 0 trained; 1 failed, one line says why; 2 wrong usage; 130 after Ctrl-C and 143 after
SIGTERM, with a checkpoint to resume from.
)";

std::string settings_help() {
  std::string text =
      std::string(kHowItWorks) + "\nSettings (--set KEY=VALUE) and their defaults:\n";
  const auto line = [&](const std::string& key, const std::string& value,
                        const std::string& about) {
    text += fmt::format("  {:<28}{:<11} {}\n", key, value, about);
  };
  for (const OptionDescription& option : train_options()) {
    line(option.key, option.value, option.about);
    if (option.key == "architecture") line("model.NAME", "", "its settings: segmentum models");
    if (option.key == "lr") line("lr.PART", "1.0", "factor on the learning rate of a part");
  }
  return text;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->model, "--model", "NAME",
                   "the network (default: that of --init, or chosen)");
  arguments.option(request->out, "--out", "DIR",
                   "the run's folder (default: runs/DATA, or runs/DATA-MODEL)");
  arguments.option(request->init, "--init", "MODEL", "start from the weights of a model file");
  arguments.option(request->freeze, "--freeze", "PARTS",
                   "what stays as it is, such as backbone or encoder.0,head");
  arguments.settings(request->settings, "settings of the list below, such as lr=0.01 crop=128");
  arguments.option(request->config_file, "--config", "FILE",
                   "settings as TOML, such as another run's config.toml");
  arguments.flag(request->fixed, "--fixed", "choose nothing: the same defaults for all data");
  arguments.flag(request->resume, "--resume", "go on from the last checkpoint in the run's folder");
  arguments.option(request->epochs, "--epochs", {0, 1e9}, "length in passes over the pictures");
  arguments.option(request->minutes, "--minutes", {0, 1e6},
                   "length in minutes on this machine (default: 20)");
  arguments.option(request->steps, "--steps", {1, 1e12}, "length in steps");
  arguments.option(request->seed, "--seed", {0, 9e15},
                   "of weights, order and augmentation (default: 1)");
  arguments.option(request->seeds, "--seeds", {1, 1000},
                   "train N times, with one seed after the other, and tell mean and spread");
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
    "  segmentum train pictures --out runs/wide --resume\n"
    "  segmentum train cells --init street.segmentum --freeze backbone --set lr.head=10\n",
    declare, true};

}  // namespace segmentum
