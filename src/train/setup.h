// What a training decides before its first step, from the options, the data and the network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/loader.h"
#include "graph/graph.h"
#include "image/preprocess.h"
#include "losses/loss.h"
#include "model_file/model.h"
#include "segmentum/progress.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/schedule.h"
#include "train/training_step.h"
#include "train/weight_transfer.h"

namespace segmentum {

/// What a training works with and never changes.
struct TrainingSetup {
  TrainConfig config;  // nothing is left to decide; before `decide_length`, but for the length
  Dataset dataset;     // the two splits without pictures that have no mask
  Graph graph;
  Preprocess preprocess;
  LossOptions loss;
  std::shared_ptr<const BoxExamples> boxes;  // of networks on boxes: all objects to train on
  std::set<std::string> frozen;              // parameters that stay as they are
  std::optional<WeightTransfer> transfer;    // of the weights of config.init; none: random ones
  std::size_t cache_bytes = 0;  // of decoded training pictures, at most what the options allow
  Shape largest_validation;     // the picture [1,C,H,W] with the most pixels; empty: none
  std::size_t validation_bytes = std::size_t{1} << 30;  // a picture that takes more is cut in tiles

  const std::vector<Sample>& samples() const;  // to train on
  std::int64_t examples() const;               // of an epoch: pictures, or boxes
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

/// What a training starts from.
enum class Start {
  weights,    // random ones, or those of `init`
  checkpoint  // which is read over them: `init` is not looked at, and may be gone
};

/// Decides the network that `config` leaves open: that of `init`, with its settings where they are
/// not given and the network knows them, or without one U-Net.
void decide_network(TrainConfig& config, const Model* init);

/// The model file `config.init`; nothing where that is empty. Throws the errors of `load_model`.
std::optional<Model> load_init(const TrainConfig& config);

/// Builds the network and decides every option that follows from it and the data; says what it
/// decided through `progress`. Reads the masks of the training split where classes are weighted.
/// Throws Error if there is nothing to train on, or if options and data do not fit each other.
TrainingSetup set_up(const Dataset& dataset, const TrainConfig& config, ProgressSink& progress,
                     Start start = Start::weights);

/// The state before the first step.
TrainingState initial_state(const TrainingSetup& setup);

}  // namespace segmentum
