// What our convolution kernels do to their results before these leave the cache.
#pragma once

#include "engine/cpu/layout.h"
#include "graph/operators.h"

namespace segmentum::cpu {

/// result = activation(convolution + bias + residual)
/// pooled = the largest of each 2x2 of it
struct ConvEpilogue {
  const float* bias = nullptr;  // plain, one for each channel of the result
  View residual;                // of the result's shape and block; may be empty
  Activation activation{};      // one that `keeps_zero`
  View pooled;                  // of the result's block; may be empty; Winograd's kernel alone
};

}  // namespace segmentum::cpu
