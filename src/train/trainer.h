// Training: from a data set and options to a run folder with the best model found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/dataset.h"
#include "engine/executor.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/progress.h"
#include "train/config.h"
#include "train/manifest.h"

namespace segmentum {

struct TrainSummary {
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  std::int64_t best_step = 0;
  std::optional<double> best_mean_iou;  // none: no validation split, the last weights were kept
  std::optional<Scores> last_scores;    // of the last validation in this call
  double seconds = 0;                   // in this call
  double images_per_second = 0;         // of training steps in this call, waiting included
  std::optional<double> step_images_per_second;  // of steps alone; none: too few to measure
  std::filesystem::path model;                   // best.segmentum
};

/// Trains the network that `config` names on `dataset` and leaves in `run_folder`:
///   config.toml             every option, with what was decided for "auto"
///   manifest.json           all that the bits follow from, and the hashes of the weights
///   data.sha256             the hashes of the data's files, as sha256sum reads them
///   log.jsonl               losses and scores, a line each
///   checkpoint.safetensors  all that is needed to go on
///   best.segmentum          the weights with the best mean IoU on the validation split
/// The same seed, thread count and library version give the same bits. With `resume` the run goes
/// on from its last checkpoint to the bits of an unbroken run; its own config.toml decides and
/// `config` is not read; where there is nothing to resume, it starts.
/// Stops with Interrupted, after a checkpoint, when `progress` asks for it; a picture that cannot
/// be read any more stops it with an Error, after a checkpoint too. Throws Error if options and
/// data do not fit each other or the machine, if the folder already holds a training
/// (`resume` not set) or another process trains in it, and if the loss stops being a number.
TrainSummary train(const Dataset& dataset, const TrainConfig& config,
                   const std::filesystem::path& run_folder, bool resume, Executor& executor,
                   ProgressSink& progress, const RunFacts& facts = {});

}  // namespace segmentum
