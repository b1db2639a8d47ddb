// Depthwise and 1x1 convolution of a magnified value beside another: nothing between the
// magnification and the 1x1 is other than linear, so the 1x1 is done before it.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "engine/cpu/kernels/magnified_taps.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

/// What of the input of `depthwise`, which a 1x1 convolution alone reads, need not be made because
/// that can be done before a magnification, for each tap of the kernel: none where it would not
/// lower the number of multiplications. `readers`: how many read a value, by root.
std::optional<MagnifiedInput> find_magnified(const Lowering& l, ValueId depthwise,
                                             std::span<const int> readers);

/// How the results of the chain's magnified channels are summed.
std::shared_ptr<const MagnifiedTaps> magnified_taps(const Lowering& l, const SeparableChain& chain);

/// Appends the step that makes the products of every tap at the size of the map, for
/// `MagnifiedPart::taps`.
Slot lower_tap_products(Lowering& l, const SeparableChain& chain);

}  // namespace segmentum::cpu
