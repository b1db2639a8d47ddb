// A model scored on a split, and the page that tells of it: what eval, train and demo share.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "infer/more_scores.h"
#include "report/report.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// What is taken beside the scores of the confusion matrix.
struct ExtraScores {
  MoreScoresOptions more;
  std::optional<BootstrapOptions> bootstrap;  // intervals
  const Protocol* protocol = nullptr;         // by which it is scored
};

/// The split that `asked` names; where it is empty the test split, and where there is none, "val",
/// by which the best weights were chosen.
std::string scored_split(const Dataset& dataset, const std::string& asked);

/// Scores and notable pictures of a split. `data` names the data set for people. Throws as
/// `evaluate`.
EvaluationPart evaluate_split(const Segmenter& segmenter, const Dataset& dataset,
                              const std::string& data, const std::string& split,
                              const ExtraScores& extra, ProgressSink& progress);

/// The page about the model in `model_file`: its scores, and its training where the log of it lies
/// beside the model.
void write_model_report(const std::filesystem::path& path, const std::string& title,
                        const std::filesystem::path& model_file, EvaluationPart evaluation);

}  // namespace segmentum
