// Depthwise convolution: every channel has a kernel of its own, so a block of channels is one
// vector from end to end and speed is a matter of memory.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/cpu/layout.h"
#include "graph/operators.h"
#include "graph/regions.h"

namespace segmentum::cpu {

/// Any kernel, stride, dilation and padding; `padding`'s bottom and right follow from the sizes.
struct DepthwiseWindow {
  Size2 kernel, stride, dilation;
  Padding padding;
};

/// Floats of the packed weights: [C/block][kh * kw][block], padded channels zero.
std::int64_t depthwise_weight_floats(std::int64_t channels, Size2 kernel);
/// From plain weights [C, 1, kh, kw]; with a kernel of 1 it packs a bias [C] just as well.
void depthwise_pack(const float* weights, std::int64_t channels, Size2 kernel, float* packed);

struct DepthwiseEpilogue {
  const float* bias = nullptr;  // packed
  View residual;                // of y's shape and block, may be y itself; may be empty
  Activation activation{};      // one that `keeps_zero`
};

/// y = activation(conv(x) + bias + residual). Each result is summed tap by tap in the order of the
/// kernel, those in the padding left out: the same bits for any thread count and any tile.
void depthwise_convolution(const View& x, const float* packed, const DepthwiseWindow& window,
                           const DepthwiseEpilogue& epilogue, const View& y);

/// Where a part of the results of one channel block is read and written: rows of pixels lie `row`
/// floats apart, and there need be no more of the source than that part reads.
struct DepthwisePart {
  Region results;
  const float* source;  // pixel (top, left) of the source
  std::int64_t top, left, source_row;
  const float* weights;  // packed, of this block
  const float* bias;     // packed; or null
  Activation activation;
  float* out;  // the first of the results
  std::int64_t out_row;
  int block;
};

/// The taps of a convolution between values of two sizes, of which parts are asked for one by one:
/// the bits of `depthwise_convolution`.
class DepthwiseInParts {
 public:
  DepthwiseInParts(const Shape& x, const DepthwiseWindow& window, const Shape& y);
  /// The pixels of the source that a part of the results reads; cut to what there is.
  Region reads(const Region& results) const;
  void compute(const DepthwisePart& part) const;

 private:
  struct Taps;
  std::shared_ptr<const Taps> taps_;
};

/// dx = bias + (the convolution's transpose)(dy), then residual and activation: the gradient of
/// the input, and a transposed convolution forward.
void depthwise_transposed(const View& dy, const float* packed, const DepthwiseWindow& window,
                          const DepthwiseEpilogue& epilogue, const View& dx);

/// Floats of scratch that `depthwise_weight_gradient` needs for a `dy` of this shape and block.
std::int64_t depthwise_scratch_floats(const View& dy, Size2 kernel);

/// weights [C, 1, kh, kw] += dLoss/dweights; bias [C] += the channel sums of dy, unless null. Sums
/// run in float over strips of rows, which are joined in double in one order: the same bits for any
/// thread count.
void depthwise_weight_gradient(const View& x, const View& dy, const DepthwiseWindow& window,
                               float* weights, float* bias, float* scratch);

}  // namespace segmentum::cpu
