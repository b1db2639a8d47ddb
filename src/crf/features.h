// The points whose distances make a kernel: positions, colours, or whatever the caller has.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "crf/rows.h"
#include "segmentum/crf.h"

namespace segmentum {

/// The pixels that take part, counted without the others.
class ActivePixels {
 public:
  /// `ignored`: empty, or a number for each pixel that is not 0 where it takes no part.
  ActivePixels(std::int64_t pixels, std::span<const std::uint8_t> ignored);

  std::int64_t count() const {
    return everyone_ ? pixels_ : static_cast<std::int64_t>(list_.size());
  }
  bool everyone() const { return everyone_; }
  /// The place in the picture of active pixel i.
  std::int64_t operator[](std::int64_t i) const { return everyone_ ? i : list_[i]; }

 private:
  std::int64_t pixels_;
  bool everyone_ = true;
  std::vector<std::int64_t> list_;
};

inline constexpr int kMostFeatures = DenseCrf::kMostFeatures;

/// f_i for every active pixel i, of the kernel exp(-|f_i - f_j|^2 / 2).
struct Features {
  int dimensions = 0;
  std::int64_t pixels = 0;
  /// Writes [range][dimensions]; may be called by many threads.
  std::function<void(PixelRange, float*)> write;
};

/// The least and the largest value of each feature.
struct FeatureBox {
  std::vector<float> least, largest;
};

/// Positions over their sigmas: x, y and, in a stack, z. What they refer to must outlive them.
Features spatial_features(const CrfSize& size, const SpatialKernel& kernel,
                          const ActivePixels& active);
/// The same and then each channel over its sigma. Throws Error as DenseCrf::add_bilateral does.
Features bilateral_features(const CrfSize& size, std::span<const ImageView> slices,
                            const BilateralKernel& kernel, const ActivePixels& active);
/// Those of the caller, [N,d].
Features given_features(std::span<const float> values, int dimensions, const CrfSize& size,
                        const ActivePixels& active);

/// Throws Error if there are too many features, or they are not finite or so many sigmas from zero
/// that single precision no longer tells neighbours apart. O(N * d).
FeatureBox box_of(const Features& features);

}  // namespace segmentum
