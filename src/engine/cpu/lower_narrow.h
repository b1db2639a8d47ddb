// 1x1 convolutions to few channels, by a kernel of our own.
#pragma once

#include "engine/cpu/conv_geometry.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

/// Whether that is the faster one; for inference.
bool is_narrow(const ConvGeometry& geometry);

void lower_narrow(Lowering& l, ValueId id, const op::Conv& conv, const ConvGeometry& geometry,
                  const Activation& activation, const Slot& y);

}  // namespace segmentum::cpu
