// How well weights do on pictures they have not seen.
#pragma once

#include <string>

#include "data/dataset.h"
#include "engine/executor.h"
#include "image/preprocess.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/progress.h"

namespace segmentum {

/// One count over a split, each picture predicted whole, at its own size.
/// Throws Error naming the file of a picture or mask that cannot be read, Interrupted when asked to
/// stop.
ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress);

}  // namespace segmentum
