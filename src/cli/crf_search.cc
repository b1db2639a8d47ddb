// segmentum crf-search: which CRF suits a model, and whether any does.
#include "infer/crf_search.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/crf_arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/inspect.h"
#include "infer/kept_files.h"
#include "model_file/crf_json.h"
#include "model_file/model.h"
#include "report/crf_report.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr int kMebibyte = 1 << 20;
constexpr std::size_t kPrinted = 10;  // settings; all are in the JSON and on the page

struct Request {
  std::string model;
  std::string data;
  std::string split = "val";
  std::string tolerance;
  std::string report;
  int limit = 0;
  int refinements = CrfSearchOptions().refinements;
  int cache_mib = 2048;
  bool dry_run = false;
  SegmenterOptions segmenter;
  std::string json;
};

std::string percent(const std::optional<double>& score) {
  return score ? fmt::format("{:.2f}", 100 * *score) : "–";
}

std::string row(const CrfScores& scores, const std::string& what) {
  return fmt::format("{:>9}{:>16}{:>13}  {}\n", percent(scores.mean_iou),
                     percent(scores.pixel_accuracy), percent(scores.boundary_f), what);
}

std::vector<CrfTrial> best_first(const CrfSearch& search) {
  std::vector<CrfTrial> trials = search.trials;
  std::ranges::stable_sort(
      trials, [](const CrfTrial& a, const CrfTrial& b) { return better(a.scores, b.scores); });
  return trials;
}

void print(const CrfSearch& search, const BoundaryTolerance& tolerance, std::size_t pictures) {
  std::cout << fmt::format("{}, {}; borders within {}\n\n", counted(pictures, "picture"),
                           counted(search.trials.size(), "setting"), tolerance.text())
            << fmt::format("{:>9}{:>16}{:>13}  in %\n", "mean IoU", "pixel accuracy", "boundary F")
            << row(search.before, "without a CRF");
  const std::vector<CrfTrial> trials = best_first(search);
  for (std::size_t i = 0; i < std::min(kPrinted, trials.size()); ++i) {
    std::cout << row(trials[i].scores, crf_text(trials[i].settings));
  }
  if (trials.size() > kPrinted) {
    std::cout << fmt::format("and {} more, down to {} %\n", trials.size() - kPrinted,
                             percent(trials.back().scores.mean_iou));
  }
  std::cout << '\n';
}

JsonObject json_of(const CrfScores& scores) {
  return JsonObject()
      .set("mean_iou", scores.mean_iou)
      .set("pixel_accuracy", scores.pixel_accuracy)
      .set("boundary_f", scores.boundary_f);
}

JsonObject json_of(const CrfTrial& trial) {
  return JsonObject().set("settings", json_of(trial.settings)).set("scores", json_of(trial.scores));
}

/// The course of the first picture, and all pictures near borders.
void write_page(const Request& request, const CrfSearch& search, ProbabilityCache& cache,
                const std::vector<ClassInfo>& classes) {
  const CrfSettings& settings = search.best().settings;
  const int count = static_cast<int>(classes.size());
  CrfReport report{
      .title = "CRF for " + request.model,
      .subtitle = fmt::format("{}, split {}, {} · Segmentum {}, {:%Y-%m-%d %H:%M}", request.data,
                              request.split, counted(cache.size(), "picture"), SEGMENTUM_VERSION,
                              fmt::localtime(std::time(nullptr))),
      .settings = settings,
      .classes = classes,
      .trimaps =
          CrfTrimaps{counted(cache.size(), "picture"), TrimapCounts(count), TrimapCounts(count)},
      .search = search};
  const auto add_to = [](TrimapCounts& counts) {
    return [&counts](const CachedPicture& picture, const LabelMap& labels) {
      counts.add(labels, picture.truth);
    };
  };
  for_each_labelling(cache, std::nullopt, add_to(report.trimaps->before));
  for_each_labelling(cache, settings, add_to(report.trimaps->after));
  const CachedPicture& shown = cache.at(0);
  DenseCrf crf = make_crf(shown.picture, shown.probabilities, settings);
  report.picture_name = shown.name;
  report.picture = shown.picture;
  report.truth = shown.truth;
  report.course = follow(crf, settings.iterations);
  write_crf_report(request.report, report);
  std::cout << "Wrote " << request.report << '\n';
}

/// What the search found of the settings that the model file holds, if it holds any.
std::optional<CrfTrial> stored_trial(const CrfSearch& search, const Segmenter& segmenter) {
  if (!segmenter.has_crf_settings()) return std::nullopt;
  const auto found =
      std::ranges::find(search.trials, segmenter.crf_settings(), &CrfTrial::settings);
  return found == search.trials.end() ? std::nullopt : std::optional(*found);
}

/// What becomes of settings in the file where none helps.
std::string fate_of_stored(const Request& request, const CrfSearch& search,
                           const std::optional<CrfTrial>& stored) {
  if (!stored) return "nothing was written";
  const std::string what =
      fmt::format("those in {} ({}; mean IoU {} %)", request.model, crf_text(stored->settings),
                  percent(stored->scores.mean_iou));
  if (stored->scores.mean_iou >= search.before.mean_iou) {
    return "nothing was written; " + what + " remain";
  }
  if (request.dry_run) return "nothing was written (--dry-run); " + what + " remain";
  remove_crf_settings(request.model);
  return what + " were taken out";
}

/// Keeps the best settings if they are worth it, and says what was done.
void store_if_better(const Request& request, const CrfSearch& search,
                     const std::optional<CrfTrial>& stored) {
  if (!search.improves()) {
    std::cout << fmt::format(
        "No setting has a higher mean IoU than no CRF ({} %): {}. A CRF does not help this model "
        "on "
        "these pictures.\n",
        percent(search.before.mean_iou), fate_of_stored(request, search, stored));
    return;
  }
  const std::string gain =
      fmt::format("mean IoU {} % -> {} %, boundary F {} % -> {} %", percent(search.before.mean_iou),
                  percent(search.best().scores.mean_iou), percent(search.before.boundary_f),
                  percent(search.best().scores.boundary_f));
  if (request.dry_run) {
    std::cout << gain << "; nothing was written (--dry-run)\n";
    return;
  }
  store_crf_settings(request.model, search.best().settings);
  std::cout << fmt::format(
      "{}; wrote the settings into {}: predict --crf and eval --crf use them\n", gain,
      request.model);
}

CrfSearchOptions options_of(const Request& request, const Segmenter& segmenter) {
  CrfSearchOptions options{.refinements = request.refinements,
                           .tolerance = tolerance_argument(request.tolerance)};
  // What an earlier search found is to beat, too.
  if (segmenter.has_crf_settings()) options.grid.push_back(segmenter.crf_settings());
  options.grid.push_back({});
  return options;
}

/// The page and the JSON may not take the place of the model or of a file of the data set.
void check_files(const Request& request, const Dataset& dataset) {
  if (request.report.empty() && request.json.empty()) return;
  std::vector<fs::path> inputs{request.model, request.data, dataset.root / "dataset.toml"};
  for (const auto& [split, samples] : dataset.splits) {
    for (const Sample& sample : samples) {
      inputs.push_back(dataset.root / sample.image);
      if (!sample.mask.empty()) inputs.push_back(dataset.root / sample.mask);
    }
  }
  const fs::path results[] = {request.report, request.json};
  require_inputs_kept(inputs, results);
}

int crf_search(const Request& request) {
  catch_stop_signals();
  const ThreadsInScope scope(request.segmenter.threads);
  const Segmenter segmenter = Segmenter::load(request.model, request.segmenter);
  const CrfSearchOptions options = options_of(request, segmenter);
  TerminalProgress progress(Screen::standard_error());
  const Dataset dataset = open_dataset(request.data, progress);
  check_files(request, dataset);
  tell_of_crf(segmenter, progress);
  tell_of_second_crf(segmenter, progress);
  ProbabilityCache cache(static_cast<std::size_t>(request.cache_mib) * kMebibyte);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> failures =
      gather_probabilities(segmenter, dataset, request.split, request.limit, cache, &progress);
  const CrfSearch search = search_crf(cache, options, &progress);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  print(search, options.tolerance, cache.size());
  if (!request.report.empty()) write_page(request, search, cache, dataset.classes);
  std::vector<JsonObject> trials;
  for (const CrfTrial& trial : search.trials) trials.push_back(json_of(trial));
  JsonObject json;
  json.set("model", request.model)
      .set("data", request.data)
      .set("split", request.split)
      .set("pictures", static_cast<std::int64_t>(cache.size()))
      .set("boundary_tolerance", options.tolerance.text())
      .set("seconds", seconds.count())
      .set("before", json_of(search.before))
      .set("best", json_of(search.best()))
      .set("improves", search.improves())
      .set("trials", trials)
      .set("failures", failures);
  const std::optional<CrfTrial> stored = stored_trial(search, segmenter);
  if (stored) json.set("stored", json_of(*stored));
  write_json(request.json, json);  // before the model file, which might not be writable
  store_if_better(request, search, stored);
  if (failures.empty()) return 0;
  throw Error(fmt::format("{} of {} failed, each reported above", failures.size(),
                          counted(failures.size() + cache.size(), "picture")));
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->model, "MODEL", "a .segmentum file; settings that help go into it");
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->split, "--split", "NAME",
                   "pictures to choose by (default: val); judge by others");
  arguments.option(request->limit, "--limit", {1, 1e9},
                   "use N pictures, spread evenly over the split (default: all)");
  arguments.option(request->refinements, "--refine", {0, 1e4},
                   "settings at most that are tried around the grid's best (default: 40)");
  arguments.option(request->tolerance, "--boundary-tolerance", "PX|PART%",
                   "how far a border may be off (default: 0.75% of the diagonal)");
  arguments.option(request->cache_mib, "--cache", {1, 1e7},
                   "MiB of probabilities kept in memory; more go into a temporary file (default: "
                   "2048)");
  arguments.flag(request->dry_run, "--dry-run", "write nothing into the model file");
  arguments.option(request->report, "--report", "FILE",
                   "a page with all settings, scores near borders and the course of one picture");
  arguments.option(request->segmenter.tile, "--tile", {0, 1e6},
                   "side of the tiles that large pictures are cut into (default: by memory)");
  arguments.flag(request->segmenter.flip, "--flip",
                 "search for probabilities averaged with the mirrored picture's");
  arguments.scales(request->segmenter.scales);
  arguments.threads(request->segmenter.threads);
  arguments.json(request->json);
  return [request] { return crf_search(*request); };
}

}  // namespace

const Command kCrfSearchCommand{
    "crf-search", "the settings of a CRF that suit a model, kept in its file if they help",
    "  segmentum crf-search runs/first/best.segmentum pictures --split val\n"
    "  segmentum crf-search best.segmentum pictures --limit 50 --report crf.html --dry-run\n",
    declare, true};

}  // namespace segmentum
