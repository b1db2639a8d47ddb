// One number for all that a network computes: if it moves, behaviour moved.
#pragma once

#include <functional>
#include <string>

#include "segmentum/image.h"

namespace segmentum {

/// A hash (FNV-1a, 64 bits, as 16 hexadecimal digits) of the label maps that `segment` makes of
/// fixed pictures with `channels` channels of 8 bits, in several odd sizes. The same for any number
/// of threads, and on every machine with the same instruction set. Throws what `segment` throws.
std::string label_signature(int channels, const std::function<LabelMap(const Image&)>& segment);

/// The pictures: soft shapes with grain, from whole numbers alone.
Image signature_picture(int index, int height, int width, int channels);

}  // namespace segmentum
