#include "cli/model_report.h"

#include <fmt/chrono.h>

#include <ctime>
#include <utility>

#include "model_file/model.h"

namespace segmentum {
namespace fs = std::filesystem;

std::string scored_split(const Dataset& dataset, const std::string& asked) {
  if (!asked.empty()) return asked;
  return dataset.splits.contains("test") ? "test" : "val";
}

EvaluationPart evaluate_split(const Segmenter& segmenter, const Dataset& dataset,
                              const std::string& data, const std::string& split,
                              const ExtraScores& extra, ProgressSink& progress) {
  NotablePictures notable(dataset.class_count());
  MoreScores more(dataset.class_count(), extra.more);
  const auto visit = [&](const Sample& sample, const Image& picture, const LabelMap& prediction,
                         const LabelMap& truth) {
    notable.add(sample.name, picture, prediction, truth);
    more.add(dataset, sample, prediction, truth);
  };
  ProbabilityVisitor visit_probabilities;
  if (extra.more.calibration || extra.more.thresholds) {
    visit_probabilities = [&](const Probabilities& probabilities, const LabelMap& prediction,
                              const LabelMap& truth) {
      more.add(probabilities, prediction, truth);
    };
  }
  Evaluation evaluation =
      evaluate(segmenter, dataset, split, &progress, visit, visit_probabilities);
  EvaluationPart part{.data = data + ", split " + split,
                      .classes = dataset.classes,
                      .evaluation = std::move(evaluation),
                      .more_scores = more.means(),
                      .boundary = more.boundary(),
                      .trimap = more.trimap(),
                      .calibration = more.calibration(),
                      .sweep = more.sweep(),
                      .objects = more.objects(),
                      .intervals = {},
                      .more_intervals = {},
                      .boundary_intervals = {},
                      .trimap_intervals = {},
                      .calibration_intervals = {},
                      .protocol = {},
                      .best = notable.best(),
                      .worst = notable.worst()};
  if (extra.protocol) part.protocol = *extra.protocol;
  if (extra.bootstrap) {
    part.intervals = bootstrap(picture_counts(part.evaluation), *extra.bootstrap);
    part.more_intervals = more.intervals(*extra.bootstrap);
    if (part.boundary) part.boundary_intervals = bootstrap(*part.boundary, *extra.bootstrap);
    if (part.trimap) part.trimap_intervals = bootstrap(*part.trimap, *extra.bootstrap);
    if (part.calibration) {
      part.calibration_intervals = bootstrap(*part.calibration, *extra.bootstrap);
    }
  }
  return part;
}

void write_model_report(const fs::path& path, const std::string& title, const fs::path& model_file,
                        EvaluationPart evaluation) {
  Report report{.title = title,
                .subtitle = fmt::format("Segmentum {}, {:%Y-%m-%d %H:%M}", SEGMENTUM_VERSION,
                                        fmt::localtime(std::time(nullptr))),
                .evaluation = std::move(evaluation),
                .model = facts_of(load_model(model_file))};
  const fs::path folder = model_file.parent_path();
  if (fs::exists(folder / "log.jsonl")) report.training = read_training_run(folder);
  write_report(path, report);
}

}  // namespace segmentum
