// Whether a mask lies rightly on its picture: objects end where the picture changes.
#pragma once

#include "data/dataset.h"

namespace segmentum {

/// How much a picture changes along the borders of its mask, as a multiple of how much it changes
/// elsewhere.
struct TurnedContrast {
  double upright = 0;    // the mask as it is, on the picture turned by its tag
  double as_stored = 0;  // the mask turned with the picture, as if drawn on the stored one
};

/// Of a picture stored in `orientation` and a mask of the size that it has upright; 0 where the
/// mask has no border, or does not fit. Reads both files.
TurnedContrast turned_contrast(const Dataset& dataset, const Sample& sample, int orientation);

/// The mean difference of grey values across the borders of the labels, by that between all
/// neighbours; 0 without borders. Throws Error if the sizes differ.
double border_contrast(ImageView picture, const LabelMap& labels);

/// Labels drawn on a picture as it is stored, as they lie on it when it is shown.
LabelMap oriented_labels(const LabelMap& labels, int orientation);

}  // namespace segmentum
