// A depthwise convolution together with the 1x1 convolutions before and after it: inverted
// residuals and separable convolutions, without their wide values in memory.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/cpu/kernels/depthwise.h"
#include "engine/cpu/kernels/magnified_taps.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// [1x1 to `channels`] -> depthwise -> [1x1]; at least one of the two is there.
struct SeparableGeometry {
  Shape x, y;
  std::int64_t channels = 0;  // of the depthwise convolution
  DepthwiseWindow window;
  bool expands = false, projects = false;

  Shape wide() const { return {x.n(), channels, x.h(), x.w()}; }      // into the depthwise one
  Shape filtered() const { return {y.n(), channels, y.h(), y.w()}; }  // and out of it
};

/// Floats of the packed weights of a 1x1 convolution from `ic` to `oc` channels.
std::int64_t pointwise_weight_floats(std::int64_t ic, std::int64_t oc);
/// From plain weights [oc, ic], in rows `row` floats apart: [pair of result blocks][ic][2][block],
/// the last may be single.
void pointwise_pack(const float* weights, std::int64_t row, std::int64_t ic, std::int64_t oc,
                    float* packed);

/// Weights as `pointwise_pack` and `depthwise_pack` leave them, biases padded to whole blocks or
/// null, activations that `keeps_zero`. Of a convolution that is not there nothing is read.
struct SeparableWeights {
  struct Layer {
    const float* weights = nullptr;
    const float* bias = nullptr;
    Activation activation{};
  };
  Layer expand, depthwise, project;
};

class SeparableConvolution {
 public:
  /// `magnified`: other channels of the depthwise convolution, which are magnified from a smaller
  /// map; of them every tap's part of the last 1x1 convolution is told. Or null.
  explicit SeparableConvolution(const SeparableGeometry& geometry,
                                std::shared_ptr<const MagnifiedTaps> magnified = nullptr);

  std::int64_t scratch_floats(int threads) const;
  /// y = project(depthwise(expand(x))) + residual before the last activation; `residual` may be
  /// empty and is not y's memory. Each result of a 1x1 convolution begins with its bias (and what
  /// `taps`, the products of magnified channels, bring) and is summed channel by channel, those of
  /// the depthwise one are `depthwise_convolution`'s: the same bits for any thread count, picture
  /// size and tile.
  void run(const View& x, const SeparableWeights& weights, const View& residual, const View& y,
           float* scratch, const View& taps = {}) const;

  /// Whether the weights from `channels` to `results` stay in the second cache from band to band.
  /// Many more, and the product is so much of the work that it is better done for all pixels.
  static bool weights_fit(std::int64_t channels, std::int64_t results);
  /// Whether the rows of `channels` that the depthwise window spans stay in the second cache, even
  /// where a picture is narrow: goes by the layer alone.
  static bool rows_fit(std::int64_t channels, const DepthwiseWindow& window);

 private:
  SeparableGeometry geometry_;
  DepthwiseInParts depthwise_;
  std::shared_ptr<const MagnifiedTaps> magnified_;
};

}  // namespace segmentum::cpu
