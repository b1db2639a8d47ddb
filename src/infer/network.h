// What all contexts of a Segmenter share: the optimised network and how it is run.
#pragma once

#include <memory>
#include <optional>

#include "engine/executor.h"
#include "infer/tiling.h"
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

  /// The tiles in which a picture of this size is run: one, the picture itself, where it fits the
  /// memory limit or where the network must see it whole.
  std::vector<Tile> tiles(int height, int width) { return tiling_->tiles(height, width); }

 private:
  Model model_;  // its graph and parameters are the optimised ones
  SegmenterOptions options_;
  CrfSettings crf_settings_;
  std::unique_ptr<Executor> executor_;
  std::optional<Tiling> tiling_;  // made last: it holds on to the others
};

}  // namespace segmentum
