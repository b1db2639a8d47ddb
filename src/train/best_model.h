// The model that a training leaves behind.
#pragma once

#include <map>
#include <string>

#include "model_file/model.h"
#include "train/setup.h"

namespace segmentum {

/// The network with `weights` and all that is needed to use it; `provenance` tells where it comes
/// from.
Model model_of(const TrainingSetup& setup, const ParameterStore& weights,
               std::map<std::string, std::string> provenance);

}  // namespace segmentum
