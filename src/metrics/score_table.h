// Scores as people and programs read them.
#pragma once

#include <span>
#include <string>

#include "metrics/bootstrap.h"
#include "metrics/boundary.h"
#include "metrics/confusion_matrix.h"
#include "metrics/detail_intervals.h"
#include "metrics/trimap.h"
#include "segmentum/classes.h"

namespace segmentum {

/// A text table for a terminal: one line for each class (share of the labelled pixels, IoU, Dice,
/// accuracy, precision; in percent, "–" where there is no score) and the means below. UTF-8, ends
/// with a newline; `intervals`, where given, stand behind the IoU of each class and the means.
/// Throws Error unless there is one name for each class.
std::string score_table(const Scores& scores, std::span<const ClassInfo> classes,
                        const ScoreIntervals* intervals = nullptr);

/// The same numbers as JSON in full precision, null where there is no score. Throws like the table.
std::string score_json(const Scores& scores, std::span<const ClassInfo> classes);

/// Intervals as JSON: {"resamples", "level", "seed", "mean_iou": [low, high], ..., "iou": {NAME:
/// [low, high]}}.
std::string interval_json(const ScoreIntervals& intervals, std::span<const ClassInfo> classes);

/// The same two for boundary F scores: F, precision and recall of each class from border pixels of
/// all pictures, the mean of F over pictures, and the means over classes of both. The JSON also
/// says what the tolerance was.
std::string boundary_table(const BoundaryCounts& counts, std::span<const ClassInfo> classes,
                           const BoundaryIntervals* intervals = nullptr);
std::string boundary_json(const BoundaryCounts& counts, std::span<const ClassInfo> classes,
                          const BoundaryIntervals* intervals = nullptr);

/// The same two for a trimap curve; the table has a line for some of its widths.
std::string trimap_table(const TrimapCounts& counts, const TrimapIntervals* intervals = nullptr);
std::string trimap_json(const TrimapCounts& counts, const TrimapIntervals* intervals = nullptr);

/// Per-image CSV: the header line, and one line for each picture (name, pixels, pixel accuracy,
/// mean IoU, then the IoU of each class; empty where there is no score). Names are quoted where
/// they need it (RFC 4180).
std::string score_csv_header(std::span<const ClassInfo> classes);
std::string score_csv_row(const std::string& image, const Scores& scores);

}  // namespace segmentum
