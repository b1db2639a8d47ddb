// Changes of colour, sharpness and noise for augmentation, and pictures as a screen shows them.
//
// Pictures of 2 and 4 channels are grey + alpha and RGB + alpha: the alpha is never changed.
// "Full scale" is 255 for u8, 65535 for u16 and 1 for f32; integers are rounded and held in range,
// floats are not. All of it runs on the calling thread.
#pragma once

#include "base/random.h"
#include "segmentum/image.h"

namespace segmentum {

/// Applied in this order, without rounding in between. The defaults change nothing.
struct ColourJitter {
  double brightness = 1;  // factor on all samples
  double contrast = 1;    // factor on the distance to the mean grey of the picture
  double saturation = 1;  // factor on the distance of a pixel to its grey; 0 is a grey picture
  double hue_turns = 0;   // rotation of the hue; 1/3 turns red towards green; luminance stays
  double gamma = 1;       // exponent on value / full scale; floats use their own min..max instead
};

/// Changes the picture in place. Saturation and hue act on RGB and RGBA; other pictures skip them.
/// Throws Error for a negative factor or a gamma that is not positive.
/// Hue is rotated in YIQ: one matrix for the first four, O(H * W * C).
void jitter_colours(Image& image, const ColourJitter& jitter);

/// Adds normal noise of standard deviation `sigma` * full scale, independent for each sample.
/// It takes 4096 values of equal probability, the most extreme at 3.7 sigma.
void add_gaussian_noise(Image& image, double sigma, RandomStream& random);

/// Convolution with a Gaussian cut at 3 sigma, mirrored at the edges. A sigma of 0 is a copy.
Image gaussian_blur(ImageView image, double sigma_px);

/// Which values become black and white.
enum class DisplayRange {
  automatic,  // full for u8, min_max for u16 and f32
  full,       // 0 and full scale
  min_max,    // the least and the greatest finite sample of the channels shown
};

/// The picture as u8 RGB: grey replicated, alpha dropped, the first three of more bands.
/// NaN is black.
Image to_rgb(ImageView image, DisplayRange range = DisplayRange::automatic);

/// Whether a picture of `have` channels has an alpha that is dropped where `wanted` are read.
constexpr bool has_alpha(int have, int wanted) {
  return (have == 2 || have == 4) && wanted != have && (wanted == 1 || wanted == 3);
}

/// The first `channels` channels alone. Throws Error unless the picture has as many.
Image first_channels(ImageView image, int channels);

}  // namespace segmentum
