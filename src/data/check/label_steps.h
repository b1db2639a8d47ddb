// How labels change along the rows and columns of a mask: at once, or through values between, as in
// masks that were resized like pictures.
#pragma once

#include <cstdint>

#include "image/codec.h"

namespace segmentum {

/// Changes between classes whose values are at least 2 apart, both at least 3 pixels long.
struct LabelSteps {
  std::int64_t sharp = 0;
  std::int64_t ramps = 0;  // through one to four pixels of other classes, in order of their values
};

/// Of a mask of values and its labels (see `decode_known_labels`). O(H*W).
LabelSteps count_steps(const RawMask& mask, const LabelMap& labels);

/// Makes the pixels of ramps unknown (kUnknownLabel). O(H*W).
void forget_ramps(const RawMask& mask, LabelMap& labels);

/// Gives unknown pixels the label of the nearest known one, by steps along rows and columns and at
/// most `reach` of them; kIgnoreLabel beyond. O(H*W).
void fill_unknown(LabelMap& labels, int reach);

}  // namespace segmentum
