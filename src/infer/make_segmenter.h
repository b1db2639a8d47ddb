// A Segmenter from a model in memory, for those who have not saved it yet.
#pragma once

#include "model_file/model.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Throws Error if the parts of the model do not fit each other.
Segmenter make_segmenter(Model model, const SegmenterOptions& options = {});

}  // namespace segmentum
