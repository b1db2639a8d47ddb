// The gradient of a 3x3 convolution's weights with a quarter of the multiplications: F(4x4, 3x3)
// read the other way.
#pragma once

#include <cstdint>

#include "engine/cpu/conv_geometry.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// Floats of scratch for `winograd_weight_gradient` on `threads` threads: at most 10 MB and what
/// 256 tiles of the input's channels and the results take.
std::int64_t winograd_gradient_floats(const ConvGeometry& geometry, int threads);

/// gradient [oc, ic, 3, 3] += dLoss/dweights of a 3x3 convolution of stride 1 from x to dy's value,
/// dilated or not. Both come in blocks of `vector_block()`. Tiles are summed in their order: the
/// same bits for any thread count. Largest error as of `winograd_convolution`.
void winograd_weight_gradient(const ConvGeometry& geometry, const View& x, const View& dy,
                              float* gradient, float* scratch);

}  // namespace segmentum::cpu
