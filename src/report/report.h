// One HTML file that says how a model was trained and how well it does, readable without a network.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "infer/evaluate.h"
#include "metrics/boundary.h"
#include "metrics/calibration.h"
#include "metrics/detail_intervals.h"
#include "metrics/object_precision.h"
#include "metrics/protocol.h"
#include "metrics/threshold_sweep.h"
#include "metrics/trimap.h"
#include "report/model_facts.h"
#include "report/notable_pictures.h"
#include "report/training_run.h"
#include "segmentum/classes.h"

namespace segmentum {

/// The scores of a split, and pictures to look at.
struct EvaluationPart {
  std::string data;  // which data set and split
  std::vector<ClassInfo> classes;
  Evaluation evaluation;
  /// Scores that follow from no confusion matrix, with their names: {"Rand error", 0.083}.
  std::vector<std::pair<std::string, double>> more_scores;
  std::optional<BoundaryCounts> boundary;
  std::optional<TrimapCounts> trimap;
  std::optional<CalibrationCounts> calibration;
  std::optional<ThresholdSweep> sweep;
  std::optional<ObjectPrecision> objects;
  std::optional<ScoreIntervals> intervals;
  std::map<std::string, ScoreInterval> more_intervals;  // of `more_scores`, by name
  std::optional<BoundaryIntervals> boundary_intervals;
  std::optional<TrimapIntervals> trimap_intervals;
  std::optional<CalibrationIntervals> calibration_intervals;
  std::optional<Protocol> protocol;  // by whose rules all of it came about
  std::vector<ReportPicture> best;   // see NotablePictures
  std::vector<ReportPicture> worst;
};

/// What there is to tell; every part may be missing.
struct Report {
  std::string title;
  std::string subtitle;  // one line: when, with which program
  std::optional<EvaluationPart> evaluation;
  std::optional<TrainingRun> training;
  std::optional<ModelFacts> model;
};

/// The report as one page: style, curves and pictures are inside, nothing is loaded and no script
/// runs. Throws Error unless there is one class for each row of the confusion matrix.
std::string report_html(const Report& report);

/// The same as a file, written whole or not at all.
void write_report(const std::filesystem::path& path, const Report& report);

/// The scores that a protocol is known by, in its order; those that were not taken are left out.
std::vector<std::pair<std::string, double>> protocol_scores(const EvaluationPart& part);

/// One line for each picture (see `score_csv_row`), written whole or not at all.
void write_image_scores_csv(const std::filesystem::path& path, std::span<const ImageScores> images,
                            std::span<const ClassInfo> classes);

}  // namespace segmentum
