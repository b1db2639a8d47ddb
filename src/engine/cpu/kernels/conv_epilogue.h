// What our convolution kernels do to their results before these leave the cache.
#pragma once

#include "engine/cpu/layout.h"
#include "graph/operators.h"

namespace segmentum::cpu {

/// result = activation(convolution + bias + residual)
struct ConvEpilogue {
  const float* bias = nullptr;  // plain, one for each channel of the result
  View residual;                // of the result's shape and block; may be empty
  Activation activation{};      // one that `keeps_zero`
};

}  // namespace segmentum::cpu
