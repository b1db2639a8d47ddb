// Calibration and precision of objects as people and programs read them.
#pragma once

#include <string>

#include "metrics/calibration.h"
#include "metrics/detail_intervals.h"
#include "metrics/object_precision.h"

namespace segmentum {

/// How often the network was right by how sure it was: a line for each bin that has pixels, in
/// percent, and ECE and MCE below. UTF-8, ends with a newline.
std::string calibration_table(const CalibrationCounts& counts,
                              const CalibrationIntervals* intervals = nullptr);
/// {"ece", "mce", "confidence", "accuracy", "bins": [{"from", "to", "pixels", "confidence",
/// "accuracy"}]}; null where there is no score; with intervals "intervals": {"ece": [low, high],
/// "mce": [low, high]}.
std::string calibration_json(const CalibrationCounts& counts,
                             const CalibrationIntervals* intervals = nullptr);

/// Precision at each IoU, in percent, and what it was counted from.
std::string object_table(const ObjectPrecision& precision);
/// {"objects", "predicted", "pictures", "precision": {"0.50": ...}, "matched": {"0.50": ...}}.
std::string object_json(const ObjectPrecision& precision);

}  // namespace segmentum
