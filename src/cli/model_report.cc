#include "cli/model_report.h"

#include <fmt/chrono.h>

#include <ctime>
#include <utility>

#include "metrics/rand_error.h"
#include "model_file/model.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Means over the pictures that show the class.
class RandMean {
 public:
  void add(const RandScores& scores) {
    sum_.precision += scores.precision;
    sum_.recall += scores.recall;
    sum_.f_score += scores.f_score;
    sum_.error += scores.error;
    ++count_;
  }
  std::vector<std::pair<std::string, double>> named() const {
    if (count_ == 0) return {};
    return {{"Rand error", sum_.error / count_},
            {"Rand F-score", sum_.f_score / count_},
            {"Rand precision", sum_.precision / count_},
            {"Rand recall", sum_.recall / count_}};
  }

 private:
  RandScores sum_;
  int count_ = 0;
};

}  // namespace

EvaluationPart evaluate_split(const Segmenter& segmenter, const Dataset& dataset,
                              const std::string& data, const std::string& split,
                              const ExtraScores& extra, ProgressSink& progress) {
  NotablePictures notable(dataset.class_count());
  RandMean rand;
  std::optional<BoundaryCounts> boundary;
  if (extra.boundary) boundary.emplace(dataset.class_count(), *extra.boundary);
  std::optional<TrimapCounts> trimap;
  if (extra.trimap) trimap.emplace(dataset.class_count());
  const auto visit = [&](const Sample& sample, const Image& picture, const LabelMap& prediction,
                         const LabelMap& truth) {
    notable.add(sample.name, picture, prediction, truth);
    if (boundary) boundary->add(prediction, truth);
    if (trimap) trimap->add(prediction, truth);
    if (!extra.interior) return;
    if (const auto scores = rand_scores(prediction, truth, *extra.interior)) rand.add(*scores);
  };
  Evaluation evaluation = evaluate(segmenter, dataset, split, &progress, visit);
  return {.data = data + ", split " + split,
          .classes = dataset.classes,
          .evaluation = std::move(evaluation),
          .more_scores = rand.named(),
          .boundary = std::move(boundary),
          .trimap = std::move(trimap),
          .best = notable.best(),
          .worst = notable.worst()};
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
