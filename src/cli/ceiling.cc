// segmentum ceiling: what a coarse network could score at best on a data set.
#include <fmt/format.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/inspect.h"
#include "metrics/coarse_labels.h"
#include "metrics/confusion_matrix.h"
#include "metrics/score_table.h"

namespace segmentum {
namespace {

/// Those of FCN's table.
constexpr std::array kFactors{128, 64, 32, 16, 8, 4};

struct Request {
  std::string data;
  std::string split;
  std::string rule = "nearest";
  std::string json;
};

struct Ceilings {
  std::vector<ConfusionMatrix> matrices;  // one for each factor
  int pictures = 0;
  std::vector<std::string> failures;
};

Ceilings measure(const Dataset& dataset, const std::vector<Sample>& samples, CoarseRule rule,
                 ProgressSink& progress) {
  Ceilings result{std::vector(kFactors.size(), ConfusionMatrix(dataset.class_count())), 0, {}};
  progress.begin("coarsen labels", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress.stop_requested()) throw Interrupted();
    try {
      if (samples[i].mask.empty()) continue;
      const LabelMap labels = read_labels(dataset, samples[i]);
      for (std::size_t f = 0; f < kFactors.size(); ++f) {
        result.matrices[f].add(coarsened(labels, kFactors[f], rule), labels);
      }
      ++result.pictures;
    } catch (const Error& error) {
      result.failures.emplace_back(error.what());
      progress.message(error.what());
    }
    progress.update(static_cast<std::int64_t>(i) + 1, samples[i].name);
  }
  progress.end();
  return result;
}

void print(const Ceilings& ceilings, const std::string& rule) {
  std::cout << fmt::format("{}, {} rule\n\n{:>6}{:>10}{:>16}\n",
                           counted(ceilings.pictures, "picture"), rule, "factor", "mean IoU",
                           "pixel accuracy");
  for (std::size_t f = 0; f < kFactors.size(); ++f) {
    const Scores s = scores(ceilings.matrices[f]);
    std::cout << fmt::format("{:>6}{:>10.1f}{:>16.1f}\n", kFactors[f], 100 * s.mean_iou,
                             100 * s.pixel_accuracy);
  }
}

JsonObject json_of(const Ceilings& ceilings, const Dataset& dataset, const Request& request,
                   const std::string& split) {
  std::vector<JsonObject> factors;
  for (std::size_t f = 0; f < kFactors.size(); ++f) {
    factors.emplace_back()
        .set("factor", kFactors[f])
        .set_json("scores", score_json(scores(ceilings.matrices[f]), dataset.classes));
  }
  return JsonObject()
      .set("data", request.data)
      .set("split", split)
      .set("rule", request.rule)
      .set("pictures", ceilings.pictures)
      .set("factors", factors)
      .set("failures", ceilings.failures);
}

int ceiling(const Request& request) {
  const std::optional<CoarseRule> rule = coarse_rule(request.rule);
  if (!rule) {
    throw UsageError(fmt::format("--rule is \"{}\"; expected nearest or majority", request.rule));
  }
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_error());
  const Dataset dataset = open_dataset(request.data, progress);
  const std::string split = scored_split(dataset, request.split);
  const Ceilings ceilings = measure(dataset, dataset.split(split), *rule, progress);
  const std::size_t failed = ceilings.failures.size();
  if (ceilings.pictures == 0) {
    throw Error(fmt::format("split \"{}\" of {} has no mask that can be read; {}", split,
                            request.data,
                            failed > 0 ? ceilings.failures.front() : "ceilings need masks"));
  }
  print(ceilings, request.rule);
  write_json(request.json, json_of(ceilings, dataset, request, split));
  if (failed == 0) return 0;
  throw Error(fmt::format("{} of {} failed, each reported above", failed,
                          counted(static_cast<std::size_t>(ceilings.pictures) + failed, "mask")));
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->split, "--split", "NAME",
                   "which pictures (default: test, or val where there is no test)");
  arguments.option(request->rule, "--rule", "NAME",
                   "the label of a cell: nearest (to its centre) or majority (default: nearest)");
  arguments.json(request->json);
  return [request] { return ceiling(*request); };
}

}  // namespace

const Command kCeilingCommand{
    "ceiling", "the score of the labels themselves, made coarse by factors of 4 to 128",
    "  segmentum ceiling pictures --split val\n"
    "  segmentum ceiling pictures --rule majority --json ceiling.json\n",
    declare};

}  // namespace segmentum
