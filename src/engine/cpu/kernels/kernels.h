// Our own kernels on blocked layouts, one algorithm text for every instruction set (Highway).
// All are deterministic for any thread count: each result is summed in one fixed order.
// "add" flags: true adds to what the destination holds, false overwrites it.
#pragma once

#include <cstdint>

#include "engine/cpu/layout.h"
#include "engine/dropout.h"
#include "graph/operators.h"

namespace segmentum::cpu {

/// What kernels apply to their results in passing, where "activation" stands below: none, relu, or
/// leaky_relu of a slope that keeps the sign, so that the result tells the derivative.
constexpr bool is_rectifier(const Activation& a) {
  return a.kind == ActivationKind::none || a.kind == ActivationKind::relu ||
         (a.kind == ActivationKind::leaky_relu && a.slope >= 0);
}

/// Whether f(0) = 0, so that padded channels stay zero, in so few instructions that kernels apply
/// it in passing. gelu takes some thirty: it is a step of its own.
constexpr bool keeps_zero(const Activation& a) {
  return a.kind != ActivationKind::sigmoid && a.kind != ActivationKind::hard_sigmoid &&
         a.kind != ActivationKind::gelu;
}

// --- batch_norm.cc -------------------------------------------------------------------------------

/// Per-channel arrays are padded to whole blocks: `blocks() * block` floats.
struct ChannelMoments {
  float* mean;
  float* variance;  // biased
};

/// Floats of scratch that `batch_moments` and `batch_norm_backward` need for a value like `x`.
std::int64_t reduction_floats(const View& x);

/// Mean and biased variance of each channel over N, H and W: one pass over the memory, sums shifted
/// by the channel's first value, partial sums joined in double.
void batch_moments(const View& x, ChannelMoments moments, float* scratch);

/// y = activation(x * scale + shift), an activation that `keeps_zero`. x and y may be the same
/// memory.
void scale_shift(const View& x, const float* scale, const float* shift, Activation activation,
                 const View& y);

/// The gradients of y = activation(weight * (x - mean) * inverse_deviation + bias).
struct BatchNormGradient {
  const float* scale;  // weight * inverse_deviation
  const float* shift;  // bias - mean * scale
  const float* mean;
  const float* inverse_deviation;
  Activation activation;   // one that `keeps_zero`
  bool fixed_moments;      // frozen: mean and deviation do not depend on x
  float* weight_gradient;  // out: padded per-channel arrays
  float* bias_gradient;
};
/// Writes dLoss/dx over `dx`, which may be x's own memory.
void batch_norm_backward(const View& x, const View& dy, const BatchNormGradient& g, const View& dx,
                         bool add, float* scratch);

// --- pointwise.cc --------------------------------------------------------------------------------

/// Zeroes the channels that pad the last block.
void clear_padded_channels(const View& x);
/// y = f(x); padded channels stay zero.
void activate(const View& x, Activation activation, const View& y);
/// dx (+)= dy * f'(x), where `x` is f's input.
void activate_backward(const View& x, const View& dy, Activation activation, const View& dx,
                       bool add);
/// to = from, or to += from.
void copy(const View& from, const View& to, bool add);
/// y = activation(a + b).
void add(const View& a, const View& b, Activation activation, const View& y);
/// y = a * b, where b is a's shape or [N,C,1,1].
void multiply(const View& a, const View& b, const View& y);
/// da (+)= dy * b and, where `db.data`, db (+)= dy * a (summed over the plane where b is
/// broadcast).
void multiply_backward(const View& a, const View& b, const View& dy, const View& da, bool add_a,
                       const View& db, bool add_b);
/// y = max(a, b).
void maximum(const View& a, const View& b, const View& y);
/// da (+)= dy where a > b, and half of it where a = b.
void maximum_backward(const View& a, const View& b, const View& dy, const View& da, bool add);

// --- dropout.cc ----------------------------------------------------------------------------------

/// y (+)= x times the mask and its scale.
void dropout(const View& x, const DropoutMask& mask, const View& y, bool add);

// --- pooling.cc ----------------------------------------------------------------------------------

struct PoolWindow {
  Size2 kernel, stride;
  Padding padding;
  bool count_padding = true;
};
/// `winners` (one byte a value, y's layout, may be null) keeps which tap of the window won: kernel
/// <= 256 taps.
void max_pool(const View& x, const PoolWindow& window, const View& y, std::uint8_t* winners);
void max_pool_backward(const View& dy, const PoolWindow& window, const std::uint8_t* winners,
                       const View& dx, bool add);
void average_pool(const View& x, const PoolWindow& window, const View& y);
void average_pool_backward(const View& dy, const PoolWindow& window, const View& dx, bool add);
void global_average_pool(const View& x, const View& y);
void global_average_pool_backward(const View& dy, const View& dx, bool add);

// --- resize.cc -----------------------------------------------------------------------------------

void resize(const View& x, Interpolation mode, bool align_corners, const View& y);
void resize_backward(const View& dy, Interpolation mode, bool align_corners, const View& dx,
                     bool add);

// --- location_grid.cc ----------------------------------------------------------------------------

/// y[k] = the grid*grid channels of class k in x, weighted by where the pixel lies.
void location_grid(const View& x, int grid, const View& y);
/// dx (+)= dy by the same weights.
void location_grid_backward(const View& dy, int grid, const View& dx, bool add);

// --- rearrange.cc --------------------------------------------------------------------------------

/// Between layouts: any block to any block, same shape.
void reorder(const View& from, const View& to, bool add);
/// Channels [from_channel, from_channel + count) of `from` -> channels from `to_channel` of `to`.
void copy_channels(const View& from, std::int64_t from_channel, const View& to,
                   std::int64_t to_channel, std::int64_t count, bool add);
/// y = x padded at the top and left by `top`, `left`, at the other sides to y's size.
void pad(const View& x, PadMode mode, int top, int left, const View& y);
void pad_backward(const View& dy, PadMode mode, int top, int left, const View& dx, bool add);
/// y = the window of x from (top, left) of y's size.
void crop(const View& x, int top, int left, const View& y);
/// dx (+)= dy at the window, zero elsewhere.
void crop_backward(const View& dy, int top, int left, const View& dx, bool add);
/// y[n, c, sy*i+a - first.h, sx*j+b - first.w] = parts[n, (a*sx+b)*C' + c, i, j] + bias[c] wherever
/// that lies in y; C' = channels padded to blocks.
void depth_to_space(const View& parts, Size2 stride, Size2 first, const float* bias,
                    Activation activation, const View& y);
/// The reverse, from the first phase on.
void space_to_depth(const View& y, Size2 stride, const View& parts);
/// sums[c] += the sum of channel c over N, H and W (plain array of C).
void add_channel_sums(const View& x, float* sums);

// --- layer_norm.cc -------------------------------------------------------------------------------

/// Arrays of a layer norm: weight and bias of the channels, padded with zeros to whole blocks, and
/// for each pixel [N,H,W] mean and 1/sqrt(variance + epsilon).
struct LayerNormArrays {
  const float* weight;
  const float* bias;
  float* mean;  // both null where no gradient will ask for them
  float* inverse_deviation;
};

/// y = (x - mean) * inverse_deviation * weight + bias over the channels of each pixel.
void layer_norm(const View& x, float epsilon, const LayerNormArrays& arrays, const View& y);
/// dx (+)= the gradient, where `dx.data`; weight_gradient and bias_gradient (plain arrays of C) +=
/// theirs.
void layer_norm_backward(const View& x, const View& dy, const LayerNormArrays& arrays,
                         float* weight_gradient, float* bias_gradient, const View& dx, bool add);

// --- softmax.cc ----------------------------------------------------------------------------------

void softmax(const View& x, const View& y);
void softmax_backward(const View& y, const View& dy, const View& dx, bool add);
/// Moments of each (image, group): arrays of N * groups floats.
void group_norm(const View& x, int groups, float epsilon, const float* weight, const float* bias,
                float* mean, float* inverse_deviation, const View& y);
void group_norm_backward(const View& x, const View& dy, int groups, const float* weight,
                         const float* mean, const float* inverse_deviation, float* weight_gradient,
                         float* bias_gradient, const View& dx, bool add);

}  // namespace segmentum::cpu
