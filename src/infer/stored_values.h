// What the pixels of a streamed label map hold, and their palette.
#pragma once

#include <cstdint>
#include <vector>

#include "segmentum/classes.h"
#include "segmentum/image.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// From class indices to what the file holds.
struct StoredValues {
  PixelType type = PixelType::u8;
  std::vector<std::uint16_t> of_class;
  std::uint16_t ignore = 255;
  std::vector<Rgb> palette;  // empty: grey

  Image image_of(const LabelMap& labels) const;
};

/// Class indices: 8 bits with the classes' colours for up to 255 of them, else 16 bits.
StoredValues index_values(const Segmenter& segmenter);
/// Those of the training data's own masks. Throws Error where they are colours or too large.
StoredValues source_values(const Segmenter& segmenter);

}  // namespace segmentum
