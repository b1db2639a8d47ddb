// Other sizes: pictures are interpolated, label maps never are.
#pragma once

#include "segmentum/image.h"

namespace segmentum {

struct ResizeOptions {
  /// Average the area under each new pixel along the sides that shrink. Without it, shrinking skips
  /// pixels, as bilinear interpolation in a network does.
  bool antialias = false;
};

/// The picture at [height, width], half-pixel centred (`align_corners = false`): bilinear, with
/// edges continued. Any type and number of channels; integers are rounded. Throws Error unless both
/// sides are positive. Uses `threads()` threads; the result does not depend on their number.
Image resize(ImageView image, int height, int width, const ResizeOptions& options = {});

/// Each new pixel takes the label of the old pixel in which its centre lies.
LabelMap resize_nearest(const LabelMap& labels, int height, int width);

}  // namespace segmentum
