// What several trainings that differ in their seed say together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/json_object.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/classes.h"

namespace segmentum {

/// One of them: what its best weights reach on the validation split.
struct SeedRun {
  std::int64_t seed = 0;
  std::filesystem::path folder;
  std::optional<double> mean_iou;
  std::optional<Scores> scores;  // none: no validation, or a network on boxes
};

/// A line for each run, then the mean, standard deviation and range of the mean IoU, and of each
/// class's IoU over the runs that score it. UTF-8, ends with a newline.
std::string seed_table(std::span<const SeedRun> runs, std::span<const ClassInfo> classes);

/// {"runs": [{"seed", "folder", "mean_iou"}], "mean_iou": SPREAD, "iou": {NAME: SPREAD}} where
/// SPREAD is {"runs", "mean", "deviation", "low", "high"}.
JsonObject seed_json(std::span<const SeedRun> runs, std::span<const ClassInfo> classes);

}  // namespace segmentum
