// Depthwise convolutions that run as one step with the 1x1 convolutions around them.
#pragma once

#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

/// The step of the chain that ends in `id`.
void lower_separable(Lowering& l, ValueId id);

}  // namespace segmentum::cpu
