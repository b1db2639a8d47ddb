// All that a training is at one moment, on disk: a resumed training gives the same bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "graph/parameter_store.h"
#include "train/optimizer.h"
#include "train/weight_average.h"

namespace segmentum {

/// How far a training is. The position of every random stream follows from the seed and the step.
struct TrainingPosition {
  std::int64_t step = 0;         // steps done
  std::int64_t epochs_done = 0;  // with their validations
  double best_mean_iou = -1;
  std::int64_t best_step = 0;
  double loss_sum = 0;  // since the last line of the log
  double norm_sum = 0;
  std::int64_t loss_count = 0;
  std::int64_t log_bytes = 0;
};

/// What changes while a training runs. Plans hold on to the parameters: it stays where it is.
struct TrainingState {
  ParameterStore parameters;
  Optimizer optimizer;
  std::optional<WeightAverage> average;
  TrainingPosition position;
};

/// Writes the whole state as a safetensors file, atomically: "parameters.NAME", "optimizer.NAME",
/// "average.NAME", and as metadata the numbers and the SHA-256 of all of it. `data_identity`
/// (train/data_identity.h): of what it was trained on.
void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const std::string& data_identity);

/// The identity that a checkpoint was saved with; empty where there is none, as in those of old.
/// Throws Error as `load_checkpoint` does for a damaged file.
std::string stored_data_identity(const std::filesystem::path& path);

/// Fills `state`, which was made for the same network and options. Throws Error naming the file if
/// it was not, or if one bit of the file is not as it was saved, and what to do about it; `state`
/// is then unchanged.
void load_checkpoint(const std::filesystem::path& path, TrainingState& state);

}  // namespace segmentum
