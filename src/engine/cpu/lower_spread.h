// A 1x1 convolution of a concatenation that ends in one pixel, spread over the map.
#pragma once

#include <optional>

#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

/// What of the input of `id` is the same for all pixels at any size; none where nothing is, or
/// where it does not begin with a whole block of channels.
std::optional<SpreadInput> find_spread(const Lowering& l, ValueId id);

/// The convolution of which `find_spread` found something.
void lower_spread(Lowering& l, ValueId id);

}  // namespace segmentum::cpu
