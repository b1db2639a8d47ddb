// Label maps in the values of the masks that a model was trained on.
#pragma once

#include <filesystem>

#include "segmentum/segmenter.h"

namespace segmentum {

/// Writes `labels` as the training data's own masks have them: grey of 8 bits, or of 16 where a
/// value needs them, or RGB where the masks are of colours (0xRRGGBB). Without recorded values,
/// the class index. Throws Error if the file cannot be written.
void write_source_mask(const std::filesystem::path& path, const LabelMap& labels,
                       const Segmenter& segmenter);

}  // namespace segmentum
