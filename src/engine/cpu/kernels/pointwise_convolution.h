// 1x1 convolution of stride 1 on blocked values.
#pragma once

#include <cstdint>

#include "engine/cpu/kernels/conv_epilogue.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// Floats of the packed weights from `ic` to `oc` channels.
std::int64_t pointwise_weight_floats(std::int64_t ic, std::int64_t oc);
/// From plain weights [oc, ic]: [pair of result blocks][ic][2][block], the last may be single.
void pointwise_pack(const float* weights, std::int64_t ic, std::int64_t oc, float* packed);

/// Floats of scratch for a run on `threads` threads.
std::int64_t pointwise_scratch_floats(std::int64_t ic, std::int64_t oc, int threads);

/// y = activation(conv(x) + bias + residual), residual not in y's memory. A result begins with its
/// bias and is summed channel by channel: the same bits for any thread count, picture size and
/// tile, and where it is computed along with a depthwise convolution (separable_convolution.h).
void pointwise_convolution(const View& x, const float* packed, const ConvEpilogue& epilogue,
                           const View& y, float* scratch);

}  // namespace segmentum::cpu
