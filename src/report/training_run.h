// What a training's folder tells about its course.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "train/run_log.h"

namespace segmentum {

struct TrainingRun {
  /// The options that matter most, in words; then the whole config.toml.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string config_text;
  std::vector<std::string> classes;  // as the validations name them
  std::vector<StepRecord> steps;
  /// Of their scores the log keeps the means, and IoU and Dice of each class.
  std::vector<ValidationRecord> validations;
};

/// Reads log.jsonl and config.toml of a run; either may be missing, and a last line that is still
/// being written is left out. Throws Error naming file and line of what it does not understand, and
/// if `run_folder` holds neither.
TrainingRun read_training_run(const std::filesystem::path& run_folder);

}  // namespace segmentum
