// How well weights do on pictures they have not seen.
#pragma once

#include <cstddef>
#include <string>

#include "data/dataset.h"
#include "engine/executor.h"
#include "image/preprocess.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/progress.h"
#include "train/setup.h"

namespace segmentum {

/// One count over a split, each picture predicted at its own size: whole, or where that takes more
/// than `memory_bytes` in tiles, with the same result. A network that must see all of a picture
/// gets it whole. Throws Error naming the file of a picture or mask that cannot be read,
/// Interrupted when asked to stop.
ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress, std::size_t memory_bytes);

/// The same for a network on boxes, over the pixels of the crops around all objects of the split:
/// the object's class where it is, background elsewhere.
ConfusionMatrix validate_on_boxes(const Graph& graph, ParameterStore& parameters,
                                  const Dataset& dataset, const std::string& split,
                                  const Preprocess& preprocess, const BoxCrop& crop,
                                  Executor& executor, ProgressSink& progress);

/// Whichever of the two fits the network of `setup`, on the validation split of `dataset`.
ConfusionMatrix validate(const TrainingSetup& setup, ParameterStore& parameters,
                         const Dataset& dataset, Executor& executor, ProgressSink& progress);

/// What `memory_bytes` holds at least for a picture of this shape: whole, or in the smallest tiles.
std::size_t least_validation_bytes(const Graph& graph, const Shape& picture,
                                   const ConvolutionGrid& grid);

}  // namespace segmentum
