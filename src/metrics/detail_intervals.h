// Bootstrap intervals of the scores near borders and of calibration.
#pragma once

#include <optional>
#include <vector>

#include "metrics/bootstrap.h"
#include "metrics/boundary.h"
#include "metrics/calibration.h"
#include "metrics/trimap.h"

namespace segmentum {

/// Empty where no resample has the score; so for all of them here.
struct BoundaryIntervals {
  std::optional<ScoreInterval> mean_f;
  std::optional<ScoreInterval> mean_f_of_pictures;
  std::vector<std::optional<ScoreInterval>> f;  // of each class
  std::vector<std::optional<ScoreInterval>> f_of_pictures;
};

/// Of the widths 1, 2, ... px.
struct TrimapIntervals {
  std::vector<std::optional<ScoreInterval>> pixel_accuracy;
  std::vector<std::optional<ScoreInterval>> mean_iou;
};

/// A resample repeats pictures, so its bins are noisier than those of as many different ones: the
/// errors of the resamples are a little larger than that of the split.
struct CalibrationIntervals {
  std::optional<ScoreInterval> expected_error;
  std::optional<ScoreInterval> largest_error;
};

/// Percentile bootstrap over pictures, as `bootstrap` of a confusion matrix and with the same
/// draws. Throw Error as it does. O(resamples * pictures * counts of a picture).
BoundaryIntervals bootstrap(const BoundaryCounts& counts, const BootstrapOptions& options);
TrimapIntervals bootstrap(const TrimapCounts& counts, const BootstrapOptions& options);
CalibrationIntervals bootstrap(const CalibrationCounts& counts, const BootstrapOptions& options);

}  // namespace segmentum
