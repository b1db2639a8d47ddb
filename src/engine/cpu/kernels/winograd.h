// 3x3 convolution with a quarter of the multiplications or less: Winograd's F(4x4, 3x3) and
// F(6x6, 3x3), dilated or not. `tile` is 4 or 6 everywhere.
#pragma once

#include <cstdint>
#include <span>

#include "engine/cpu/kernels/conv_epilogue.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// How weights reach the kernel. The results have the same bits.
enum class WinogradForm {
  transformed,  // by `winograd_pack`
  plain,        // as they are, [oc, ic, 3, 3]: transformed on the way, in the cache. For weights so
                // many that they, not the products, would be what takes memory and time
  turned        // likewise, for the gradient with respect to the input
};
struct WinogradWeights {
  const float* data = nullptr;
  WinogradForm form = WinogradForm::transformed;
};

/// Floats of the transformed weights of a convolution from `ic` to `oc` channels.
std::int64_t winograd_weight_floats(int tile, std::int64_t ic, std::int64_t oc);

/// From plain weights [oc, ic, 3, 3]. `backward`: for the gradient with respect to the input, a
/// convolution from oc to ic channels with the kernel turned around.
void winograd_pack(const float* weights, int tile, std::int64_t oc, std::int64_t ic, bool backward,
                   float* packed);

/// Where the convolution reads: zeros above and left of x, pixels between its taps; and the results
/// of a tile along each axis.
struct WinogradWindow {
  int top = 1, left = 1;
  Size2 dilation = 1;
  int tile = 4;
  Size2 phase = 0;  // without dilation: where a tile begins, less than a tile
};

/// Floats of scratch for a run from `ic` channels to `results` on `threads` threads.
std::int64_t winograd_scratch_floats(WinogradForm form, std::int64_t ic, const Shape& results,
                                     const WinogradWindow& window, int threads);

/// y = activation(conv(x) + bias + residual), stride 1, where x has the channels of `sources` one
/// after the other, whole blocks of all but the last, as a concatenation would hold them; padded
/// with zeros as the window says and by what y's size leaves at the other sides. With a dilation
/// every d-th pixel is a picture of its own. Tiles start at y's origin or `phase`, and a tile's
/// numbers depend on its own (tile + 2)^2 inputs alone: the same bits for any thread count, and for
/// pictures cut at multiples of the tile times the dilation. Largest error about 1e-5 of the range
/// for 256 channels, half as much again for tiles of 6 (float sums; factors up to 8 and 32 in the
/// transforms). Lavin and Gray, CVPR 2016. `epilogue.pooled`: without dilation and where tiles
/// begin at even results; y without data is then not kept.
void winograd_convolution(std::span<const View> sources, const WinogradWeights& weights,
                          const WinogradWindow& window, const ConvEpilogue& epilogue, const View& y,
                          float* scratch);
inline void winograd_convolution(const View& x, const WinogradWeights& weights,
                                 const WinogradWindow& window, const ConvEpilogue& epilogue,
                                 const View& y, float* scratch) {
  winograd_convolution({&x, 1}, weights, window, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
