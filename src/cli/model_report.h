// A model scored on a split, and the page that tells of it: what eval, train and demo share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"
#include "report/report.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Scores that follow from no confusion matrix, and cost time of their own.
struct ExtraScores {
  /// The class of cells whose foreground-restricted Rand scores are taken, as means over the
  /// pictures that show it.
  std::optional<std::uint16_t> interior;
  std::optional<BoundaryTolerance> boundary;
  bool trimap = false;
};

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
