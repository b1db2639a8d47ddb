// How well weights do on pictures they have not seen.
#pragma once

#include <string>

#include "data/dataset.h"
#include "engine/executor.h"
#include "image/preprocess.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/image.h"
#include "segmentum/progress.h"

namespace segmentum {

/// One count over a split, each picture predicted whole, at its own size.
/// Throws Error naming the file of a picture or mask that cannot be read, Interrupted when asked to
/// stop.
ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress);

/// The most likely class of each pixel of picture 0 of `logits` [N,K,H,W]; of equals the first.
/// One channel: class 1 where the logit is at least 0.
LabelMap most_likely(ConstTensorView logits);

}  // namespace segmentum
