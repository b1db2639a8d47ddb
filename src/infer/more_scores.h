// Scores that follow from no confusion matrix, gathered while the pictures of a split pass by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "metrics/bootstrap.h"
#include "metrics/boundary.h"
#include "metrics/calibration.h"
#include "metrics/object_precision.h"
#include "metrics/threshold_sweep.h"
#include "metrics/trimap.h"

namespace segmentum {

/// Which; each costs time of its own.
struct MoreScoresOptions {
  /// The class of cells that are told apart: Rand errors, variation of information and warping
  /// error, as means over the pictures that show it.
  std::optional<std::uint16_t> interior;
  std::optional<BoundaryTolerance> boundary;
  bool trimap = false;
  bool objects = false;      // precision of objects over IoU 0.50..0.95
  bool calibration = false;  // needs probabilities
  bool thresholds = false;   // cells at thresholds of their probability, which it needs
};

class MoreScores {
 public:
  /// Throws Error unless there is a class, and for thresholds without `interior`.
  MoreScores(int classes, const MoreScoresOptions& options);

  /// Counts one picture. True objects are those of the sample's instance map, or the connected ones
  /// of its mask (data/instances.h); predicted ones are the connected ones of `prediction`, without
  /// ignored pixels. Throws Error as the scores do, and for an instance map that cannot be read.
  void add(const Dataset& dataset, const Sample& sample, const LabelMap& prediction,
           const LabelMap& truth);
  void add(const Probabilities& probabilities, const LabelMap& prediction, const LabelMap& truth);

  /// Scores that each picture has of its own, by name, as means over the pictures that have them:
  /// {"Rand error", 0.083}. In the order in which they are documented. Behind them the scores at
  /// the best of thresholds, and where that lies: {"threshold of thinned Rand F-score", 0.6}.
  std::vector<std::pair<std::string, double>> means() const;
  /// An interval for each of these scores; not of thresholds.
  std::map<std::string, ScoreInterval> intervals(const BootstrapOptions& options) const;

  const std::optional<BoundaryCounts>& boundary() const { return boundary_; }
  const std::optional<TrimapCounts>& trimap() const { return trimap_; }
  const std::optional<CalibrationCounts>& calibration() const { return calibration_; }
  const std::optional<ThresholdSweep>& sweep() const { return sweep_; }
  std::optional<ObjectPrecision> objects() const { return object_precision(objects_); }

 private:
  void add_cells(const LabelMap& prediction, const LabelMap& truth);
  void add_objects(const Dataset& dataset, const Sample& sample, const LabelMap& prediction,
                   const LabelMap& truth);
  void note(const std::string& name, double value);

  MoreScoresOptions options_;
  std::vector<std::pair<std::string, std::vector<double>>> of_pictures_;
  std::optional<BoundaryCounts> boundary_;
  std::optional<TrimapCounts> trimap_;
  std::optional<CalibrationCounts> calibration_;
  std::optional<ThresholdSweep> sweep_;
  std::vector<ObjectMatches> objects_;
};

}  // namespace segmentum
