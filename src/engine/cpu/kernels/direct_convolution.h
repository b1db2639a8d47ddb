// Convolution of any kernel, stride, dilation and padding on blocked values, as matrix products
// over the taps: what oneDNN leaves to its reference loops.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/conv_geometry.h"
#include "engine/cpu/kernels/conv_epilogue.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// Along one axis: the position of the source that a result reads through a tap; -1 in padding.
struct TapAxis {
  int taps = 1;
  std::int64_t results = 1;
  std::vector<std::int32_t> sources;  // [tap][result]

  const std::int32_t* of(int tap) const { return sources.data() + tap * results; }
};

/// A convolution without groups from `sources` to `results` channels, or the gradient of one with
/// respect to its input, which differs in where taps read.
struct DirectConvolution {
  std::int64_t source_channels = 1;
  std::int64_t result_channels = 1;
  TapAxis rows, columns;
  int block = vector_block();  // of both values

  int taps() const { return rows.taps * columns.taps; }
};
DirectConvolution direct_forward(const ConvGeometry& geometry);
DirectConvolution direct_data_gradient(const ConvGeometry& geometry);

/// Floats of the packed weights, the same for both directions' layouts of their own.
std::int64_t direct_weight_floats(const DirectConvolution& convolution);

/// From plain weights [oc, ic, kh, kw]; `gradient`: for `direct_data_gradient`.
void direct_pack(const float* weights, const DirectConvolution& convolution, bool gradient,
                 float* packed);

/// Floats of scratch for a run on `threads` threads.
std::int64_t direct_scratch_floats(const DirectConvolution& convolution, int threads);

/// y = activation(conv(x) + bias + residual). Each tap multiplies only those pixels for which it
/// reads no padding. A result's products are summed in one order, tap by tap and channel by
/// channel: the same bits for any thread count, picture size and tile.
void direct_convolution(const DirectConvolution& convolution, const View& x, const float* packed,
                        const ConvEpilogue& epilogue, const View& y, float* scratch);

/// Floats that `direct_weight_gradient` sums in, for values of this block.
std::int64_t direct_gradient_floats(const ConvGeometry& geometry, int block = vector_block());

/// gradient [oc, ic, kh, kw] += dLoss/dweights of the convolution from x to dy's value. Pixels are
/// summed in their order: the same bits for any thread count.
void direct_weight_gradient(const ConvGeometry& geometry, const View& x, const View& dy,
                            float* gradient, float* scratch);

}  // namespace segmentum::cpu
