// What a training decides before its first step, from the options, the data and the network.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "data/loader.h"
#include "graph/graph.h"
#include "image/preprocess.h"
#include "losses/loss.h"
#include "segmentum/progress.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/schedule.h"
#include "train/training_step.h"

namespace segmentum {

/// What a training works with and never changes.
struct TrainingSetup {
  TrainConfig config;  // nothing is left to decide; before `decide_length`, but for the length
  Dataset dataset;     // the two splits without pictures that have no mask
  Graph graph;
  Preprocess preprocess;
  LossOptions loss;
  std::size_t cache_bytes = 0;  // of decoded training pictures, at most what the options allow

  const std::vector<Sample>& samples() const;  // to train on
  bool validates() const;                      // else the last weights are kept
  std::int64_t pictures_per_step() const {
    return static_cast<std::int64_t>(config.batch) * config.accumulate;
  }
  std::int64_t steps_per_epoch() const;
  /// Epochs of the whole training; the last one may be cut short.
  std::int64_t epochs() const;
  /// The step after which epoch `epoch` (0-based) ends.
  std::int64_t end_of_epoch(std::int64_t epoch) const;
  Shape batch_shape() const;
  Schedule schedule() const;
  StepOptions step_options() const;
  /// For a loader whose first batch is the first of `first_step`.
  LoaderOptions loader_options(std::int64_t first_step) const;
};

/// Builds the network and decides every option that follows from it and the data; says what it
/// decided through `progress`. Reads the masks of the training split where classes are weighted.
/// Throws Error if there is nothing to train on, or if options and data do not fit each other.
TrainingSetup set_up(const Dataset& dataset, const TrainConfig& config, ProgressSink& progress);

/// The state before the first step.
TrainingState initial_state(const TrainingSetup& setup);

}  // namespace segmentum
