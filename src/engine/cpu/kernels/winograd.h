// 3x3 convolution with a quarter of the multiplications: Winograd's F(4x4, 3x3), dilated or not.
#pragma once

#include <cstdint>

#include "engine/cpu/kernels/conv_epilogue.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// Floats of the transformed weights of a convolution from `ic` to `oc` channels.
std::int64_t winograd_weight_floats(std::int64_t ic, std::int64_t oc);

/// From plain weights [oc, ic, 3, 3]. `backward`: for the gradient with respect to the input, a
/// convolution from oc to ic channels with the kernel turned around.
void winograd_pack(const float* weights, std::int64_t oc, std::int64_t ic, bool backward,
                   float* packed);

/// Floats of scratch for a run from `ic` to `oc` channels on `threads` threads.
std::int64_t winograd_scratch_floats(std::int64_t ic, std::int64_t oc, int threads);

/// Where the convolution reads: zeros above and left of x, pixels between its taps.
struct WinogradWindow {
  int top = 1, left = 1;
  Size2 dilation = 1;
};

/// y = activation(conv(x) + bias + residual), stride 1, x padded with zeros as the window says and
/// by what y's size leaves at the other sides. With a dilation every d-th pixel is a picture of its
/// own. Tiles of 4x4 results start at y's origin, and a tile's numbers depend on its own 6x6 inputs
/// alone: the same bits for any thread count, and for pictures cut at multiples of 4 times the
/// dilation. Relative error about 1e-6 of the range for 256 channels (float sums; factors up to 8
/// in the transforms). Lavin and Gray, CVPR 2016.
void winograd_convolution(const View& x, const float* packed, const WinogradWindow& window,
                          const ConvEpilogue& epilogue, const View& y, float* scratch);

}  // namespace segmentum::cpu
