// Convolutions that give every channel a kernel of its own run on our own kernels, in both
// directions.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/cpu/lowering.h"
#include "engine/cpu/onednn_convolution.h"

namespace segmentum::cpu {

/// One kernel for each channel; not the convolution of a single channel, which is like any other.
bool is_depthwise(const ConvGeometry& geometry);

/// Parameter `index` of the node: a channel's numbers are those of a `kernel`. With a kernel of 1 a
/// bias, padded to whole blocks.
std::shared_ptr<PackedWeights> pack_depthwise(Lowering& l, ValueId id, int index,
                                              std::int64_t channels, Size2 kernel);
/// Null for none.
const float* current(const std::shared_ptr<PackedWeights>& packed);

void lower_depthwise(Lowering& l, ValueId id, const op::Conv& conv, const ConvGeometry& geometry);
/// From `dy`, the gradient before the activation.
void lower_depthwise_backward(Lowering& l, ValueId id, const op::Conv& conv,
                              const ConvGeometry& geometry, const Slot& dy);

/// `geometry` is that of the convolution whose backward pass this is.
void lower_depthwise(Lowering& l, ValueId id, const op::TransposedConv& conv,
                     const ConvGeometry& geometry);
void lower_depthwise_backward(Lowering& l, ValueId id, const op::TransposedConv& conv,
                              const ConvGeometry& geometry, const Slot& dy);

}  // namespace segmentum::cpu
