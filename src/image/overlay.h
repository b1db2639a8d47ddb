// Label maps as people look at them.
#pragma once

#include "segmentum/image.h"

namespace segmentum {

/// The picture in u8 RGB (see `to_rgb`) with the labels' colours over it: `opacity` 0 shows the
/// picture alone, 1 the colours alone. Pixels that touch another label on the right or below are
/// darker, which draws a thin line along borders. Ignored pixels show the picture.
/// Throws Error if the sizes differ or `opacity` is not in 0..1.
Image overlay(ImageView image, const LabelMap& labels, const Palette& palette, double opacity);

/// The labels' exact colours, u8 RGB.
Image draw_labels(const LabelMap& labels, const Palette& palette);

}  // namespace segmentum
