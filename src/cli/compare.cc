// segmentum compare: two models on the same pictures, and whether the better one is so by chance.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/seed_folders.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/inspect.h"
#include "infer/evaluation_file.h"
#include "report/compare_report.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string a;
  std::string b;
  std::string data;
  std::string split;
  std::string report;
  std::optional<std::int64_t> permutations;
  std::optional<std::int64_t> seed;
  int threads = 0;
  std::string json;
};

/// A result, and the model that it is of where that can be run.
struct Side {
  EvaluationFile result;
  std::optional<Segmenter> segmenter;
};

bool is_result(const fs::path& path) {
  return path.extension() == ".json";
}

/// A run's folder stands for its best model. Throws Error for the folder of several runs.
fs::path model_of(const std::string& word) {
  if (!fs::is_directory(word)) return word;
  fs::path best = fs::path(word) / "best.segmentum";
  if (fs::exists(best)) return best;
  if (const std::string several = several_trainings(word); !several.empty()) {
    throw Error::in_file(word, several);
  }
  return best;
}

/// The data that --data names or, for the pictures of a report, those that both results were taken
/// on, if they are still there.
std::optional<Dataset> find_data(const Request& request, ProgressSink& progress) {
  if (!request.data.empty()) return open_dataset(request.data, progress);
  for (const std::string& word : {request.a, request.b}) {
    if (!is_result(word)) {
      throw UsageError(fmt::format(
          "\"{}\" is a model or a run: --data says on which pictures it is to be compared", word));
    }
  }
  if (request.report.empty()) return std::nullopt;
  const EvaluationFile a = read_evaluation(request.a);
  if (a.data.empty() || !fs::exists(a.data)) return std::nullopt;
  return open_dataset(a.data, progress);
}

Side load_side(const std::string& word, const Request& request, const Dataset* dataset,
               ProgressSink& progress) {
  Side side;
  const SegmenterOptions options{.threads = request.threads};
  if (is_result(word)) {
    side.result = read_evaluation(word);
    const fs::path model = side.result.model;
    if (!request.report.empty() && dataset && fs::exists(model)) {
      side.segmenter = Segmenter::load(model.string(), options);
    }
    return side;
  }
  const std::string model = model_of(word).string();
  side.segmenter = Segmenter::load(model, options);
  const std::string split = scored_split(*dataset, request.split);
  const Evaluation evaluation = evaluate(*side.segmenter, *dataset, split, &progress);
  side.result = evaluation_file(evaluation, dataset->classes, model, request.data, split);
  return side;
}

/// The pictures that changed most, segmented once more by both.
std::vector<ChangedPicture> changed_pictures(const Comparison& comparison, const Dataset& dataset,
                                             const Side& a, const Side& b) {
  constexpr std::size_t kShown = 8;
  const std::vector<Sample>& samples = dataset.split(comparison.a.split);
  std::vector<ChangedPicture> changed;
  for (const std::size_t i : most_changed(comparison.pictures)) {
    const ComparedPicture& picture = comparison.pictures[i];
    if (changed.size() == kShown || picture.a == picture.b) break;
    const auto sample = std::ranges::find(samples, picture.name, &Sample::name);
    if (sample == samples.end()) continue;
    const LabelledPicture labelled = read_labelled(dataset, *sample);
    const LabelMap of_b = b.segmenter->segment(labelled.image);
    ChangedPicture one{
        .a = shrunk(picture.name, labelled.image, a.segmenter->segment(labelled.image),
                    labelled.labels),
        .prediction_b = shrunk(picture.name, labelled.image, of_b, labelled.labels).prediction,
        .score_b = picture.b};
    one.a.score = picture.a;
    changed.push_back(std::move(one));
  }
  return changed;
}

void write_report_folder(const Request& request, const Comparison& comparison,
                         const Dataset* dataset, const Side& a, const Side& b) {
  CompareReport report{.title = "A and B compared",
                       .subtitle = fmt::format("Segmentum {}, {:%Y-%m-%d %H:%M}", SEGMENTUM_VERSION,
                                               fmt::localtime(std::time(nullptr))),
                       .comparison = comparison};
  const bool can_show =
      dataset && a.segmenter && b.segmenter && dataset->splits.contains(comparison.a.split);
  if (can_show) {
    report.classes = dataset->classes;
    report.changed = changed_pictures(comparison, *dataset, a, b);
  } else {
    std::cout << "The page shows no pictures: models or data are not where the results say\n";
  }
  const fs::path file = fs::path(request.report) / "report.html";
  write_compare_report(file, report);
  std::cout << "Wrote " << file.string() << '\n';
}

void print_comparison(const Comparison& comparison) {
  const PairedTest& test = comparison.test;
  const auto row = [](const char* name, double difference, const ScoreInterval& interval) {
    std::cout << fmt::format("{:<18}{:>+8.2f}  [{:+.2f}, {:+.2f}]\n", name, 100 * difference,
                             100 * interval.low, 100 * interval.high);
  };
  std::cout << fmt::format("A: {}\nB: {}\n{}\n\n", comparison.a.path, comparison.b.path,
                           counted(comparison.pictures.size(), "picture"));
  std::cout << fmt::format("B - A, in points   [{:g} % of {} resamples]\n",
                           100 * test.options.bootstrap.level, test.options.bootstrap.resamples);
  row("mean IoU", test.mean_iou, test.mean_iou_interval);
  row("pixel accuracy", test.pixel_accuracy, test.pixel_accuracy_interval);
  std::cout << fmt::format("p-value of mean IoU, {} paired permutations: {:.4f}\n\n{}\n",
                           test.options.permutations, test.p_value, verdict(test));
  if (!comparison.left_out.empty()) {
    std::cout << fmt::format("Left out: {} in only one of the results, such as {}\n",
                             counted(comparison.left_out.size(), "picture"),
                             comparison.left_out.front());
  }
  constexpr std::size_t kShown = 5;
  std::cout << "\nChanged most (mean IoU of the picture, %):\n";
  std::size_t shown = 0;
  for (const std::size_t i : most_changed(comparison.pictures)) {
    const ComparedPicture& picture = comparison.pictures[i];
    if (shown++ == kShown) break;
    std::cout << fmt::format("  {:<32}{:>8.2f} ->{:>8.2f}\n", picture.name, 100 * picture.a,
                             100 * picture.b);
  }
}

JsonObject json_of(const Comparison& comparison) {
  const PairedTest& test = comparison.test;
  const auto range = [](const ScoreInterval& interval) {
    return fmt::format("[{}, {}]", interval.low, interval.high);
  };
  std::vector<JsonObject> pictures;
  for (const ComparedPicture& picture : comparison.pictures) {
    pictures.push_back(
        JsonObject().set("name", picture.name).set("a", picture.a).set("b", picture.b));
  }
  return JsonObject()
      .set("a", comparison.a.path)
      .set("b", comparison.b.path)
      .set("mean_iou_difference", test.mean_iou)
      .set_json("mean_iou_interval", range(test.mean_iou_interval))
      .set("pixel_accuracy_difference", test.pixel_accuracy)
      .set_json("pixel_accuracy_interval", range(test.pixel_accuracy_interval))
      .set("p_value", test.p_value)
      .set("permutations", test.options.permutations)
      .set("resamples", test.options.bootstrap.resamples)
      .set("level", test.options.bootstrap.level)
      .set("seed", static_cast<std::int64_t>(test.options.bootstrap.seed))
      .set("left_out", comparison.left_out)
      .set("images", pictures);
}

int compare_command(const Request& request) {
  set_threads(request.threads);
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_error());
  const std::optional<Dataset> data = find_data(request, progress);
  const Dataset* dataset = data ? &*data : nullptr;
  const Side a = load_side(request.a, request, dataset, progress);
  const Side b = load_side(request.b, request, dataset, progress);
  PairedTestOptions options;
  options.permutations = static_cast<int>(request.permutations.value_or(options.permutations));
  options.bootstrap.seed = static_cast<std::uint64_t>(request.seed.value_or(1));
  const Comparison comparison = compare(a.result, b.result, options);
  print_comparison(comparison);
  write_json(request.json, json_of(comparison));
  if (!request.report.empty()) write_report_folder(request, comparison, dataset, a, b);
  return 0;
}

constexpr const char* kHowItWorks = R"(
A and B are results that `segmentum eval --json` wrote for the same split, or models (a .segmentum
file, or a run's folder), which are then scored on --data. Of trainings with --seeds, name the
folder of one seed: runs/wide/seed1.

The test: if neither model is better, the two results of a picture might as well be exchanged. Each
permutation exchanges those of every picture with probability one half and takes the difference of
the split's mean IoU again; the p-value is the share of permutations with at least the difference
that was found. The intervals draw pictures anew, with both of their results. Both are about these
models on pictures of this kind: not about what another seed of the training would give (train
--seeds), and pictures that are alike, such as frames of one video, make both too sure.
)";

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->a, "A", "a result (.json), a model or a run's folder");
  arguments.operand(request->b, "B", "what it is compared with");
  arguments.option(request->data, "--data", "DATA", "folder or dataset.toml, for models and runs");
  arguments.option(request->split, "--split", "NAME",
                   "which pictures of it (default: test, or val where there is no test)");
  arguments.option(request->report, "--report", "DIR",
                   "write DIR/report.html: side by side, with the pictures that changed most");
  arguments.option(request->permutations, "--permutations", {1, 1e7},
                   "of the paired test (default: 10000)");
  arguments.option(request->seed, "--seed", {0, 9e15},
                   "of permutations and resamples (default: 1)");
  arguments.threads(request->threads);
  arguments.json(request->json);
  arguments.help_footer([] { return std::string(kHowItWorks); });
  return [request] { return compare_command(*request); };
}

}  // namespace

const Command kCompareCommand{
    "compare", "which of two models is better on the same pictures, and how surely",
    "  segmentum compare runs/first runs/wide --data pictures --split val\n"
    "  segmentum eval a.segmentum pictures --json a.json\n"
    "  segmentum eval b.segmentum pictures --json b.json\n"
    "  segmentum compare a.json b.json --report compared\n",
    declare, true};

}  // namespace segmentum
