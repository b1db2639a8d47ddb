// The one geometric warp of augmentation: a picture and its labels move by the same positions, so
// they stay aligned.
//
// Positions are continuous: pixel (y, x) covers [y, y+1) x [x, x+1) and its centre is at
// (y + 0.5, x + 0.5). So scaling is a plain factor and a mirrored picture is x -> width - x.
#pragma once

#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// Maps a point (x, y) to (a[0] x + a[1] y + a[2], a[3] x + a[4] y + a[5]).
struct Affine {
  double a[6] = {1, 0, 0, 0, 1, 0};

  static Affine translation(double dx_px, double dy_px);
  static Affine scaling(double along_x, double along_y);
  /// About the origin; turns the x axis towards the y axis, which on screens is clockwise.
  static Affine rotation(double radians);
};

/// First `inner`, then `outer`.
Affine operator*(const Affine& outer, const Affine& inner);

/// Added to the source position of each output pixel: [out_height, out_width] packed, in source
/// pixels.
struct DisplacementView {
  const float* dx = nullptr;
  const float* dy = nullptr;
};

enum class BorderMode {
  constant,  // the values of `Border::values`
  reflect,   // mirrored at the edge, which is repeated: cba|abc|cba
};

/// What a picture shows outside of itself.
struct Border {
  BorderMode mode = BorderMode::constant;
  std::vector<float> values;  // one for each channel, or one for all; none: zeros
};

/// The picture [out_height, out_width] whose pixel centres p come from `to_source`(p) +
/// displacement(p), bilinear in the picture's own type, rounded for integers. Up to the very edge
/// of the source its edge pixels are continued; beyond it, `border` decides. No blur where the
/// picture shrinks. `displacement` may be null. Throws Error for sides that are not positive and
/// for a wrong number of border values. One thread: callers warp one sample a thread.
Image warp(ImageView image, int out_height, int out_width, const Affine& to_source,
           const DisplacementView* displacement = nullptr, const Border& border = {});

/// The same for labels: each pixel takes the label in which its source position lies,
/// `kIgnoreLabel` outside.
LabelMap warp_nearest(const LabelMap& labels, int out_height, int out_width,
                      const Affine& to_source, const DisplacementView* displacement = nullptr);

}  // namespace segmentum
