// What all contexts of a Segmenter share: the optimised network and how it is run.
#pragma once

#include <memory>

#include "engine/executor.h"
#include "infer/tiled_inference.h"
#include "model_file/model.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// The model as it is run: without auxiliary heads, which are for training, batch norms folded.
Model optimised(Model model);

std::unique_ptr<Executor> make_executor(const SegmenterOptions& options);

class Network {
 public:
  /// Throws Error if the model cannot be run on single pictures, or works on boxes.
  Network(Model model, const SegmenterOptions& options);

  const Model& model() const { return model_; }
  const SegmenterOptions& options() const { return options_; }
  /// With which a CRF runs: the options', else the model's, else the defaults.
  const CrfSettings& crf_settings() const { return crf_settings_; }
  int classes() const { return static_cast<int>(model_.classes.size()); }
  int input_channels() const { return model_.preprocess.channels(); }
  Executor& executor() { return *executor_; }
  const Graph& graph() const { return model_.graph; }
  ParameterStore& parameters() { return model_.parameters; }

  /// Runs pictures by the options' memory limit and tiles; for one thread. The network must outlive
  /// it.
  TiledInference tiled_inference();

 private:
  Model model_;  // its graph and parameters are the optimised ones
  SegmenterOptions options_;
  CrfSettings crf_settings_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace segmentum
