// 1x1 convolution to few channels, such as the classes of a head.
#pragma once

#include <cstdint>

#include "engine/cpu/kernels/conv_epilogue.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// Channels of the result up to which it is for: two vectors.
std::int64_t most_narrow_channels();

/// y = activation(weights * x + bias + residual); `weights` as `pointwise_pack` leaves them, `bias`
/// [padded to whole blocks]. A result is summed channel by channel: its bits go by nothing else.
void narrow_product(const View& x, const float* weights, const float* bias, const View& residual,
                    const Activation& activation, const View& y);

}  // namespace segmentum::cpu
