// A Segmenter from a model in memory, for those who have not saved it yet.
#pragma once

#include "model_file/model.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Throws Error if the parts of the model do not fit each other.
Segmenter make_segmenter(Model model, const SegmenterOptions& options = {});

/// The network that a Segmenter's contexts share, for those that run it in another way.
std::shared_ptr<Network> network_of(const Segmenter& segmenter);

}  // namespace segmentum
