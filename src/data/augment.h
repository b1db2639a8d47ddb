// Random changes of a training picture and its labels: one geometric warp for both, then colours.
#pragma once

#include "base/random.h"
#include "data/dataset.h"
#include "segmentum/image.h"

namespace segmentum {

/// What may change, and how much. "±x" is uniform in [-x, x]; 0 turns a change off.
struct AugmentOptions {
  int crop_height = 256;  // of the result; 0: of the picture
  int crop_width = 256;
  double scale_min = 0.5;  // the picture is enlarged by a factor uniform in [min, max]
  double scale_max = 1.5;
  double class_crop = 0;         // probability that the crop is laid around a class drawn at random
  double flip_horizontal = 0.5;  // probability
  double flip_vertical = 0;
  double rotation_degrees = 0;     // ±
  double shift = 0;                // ±, in crop sides, beyond what the random crop does
  double elastic_px = 0;           // deviation of random displacements, in pixels of the result,
  double elastic_spacing_px = 64;  // at grid points this far apart, with cubic splines between

  double brightness = 0;  // factors 1 ± x
  double contrast = 0;
  double saturation = 0;
  double gamma = 0;
  double hue_turns = 0;  // ±
  double noise = 0;      // deviation uniform in [0, x], in full scales
  double blur_px = 0;    // Gaussian's deviation uniform in [0, x]
};

/// The changes of colour, noise and blur alone.
void change_colours(Image& image, const AugmentOptions& options, RandomStream& random);

/// Throws Error naming the first option that makes no sense.
void check(const AugmentOptions& options);

/// A random crop of the picture under a random warp, colours changed, [crop_height, crop_width].
/// The picture is interpolated bilinearly and mirrored beyond its edges; labels take the nearest
/// and are kIgnoreLabel there. A scaled picture that is smaller than the crop lies anywhere in it.
/// A map of instances, where one is given, goes the way of the labels.
/// A crop that is laid around a class (`class_crop`) shows a pixel of it: one drawn from all pixels
/// of a class that was drawn from those in the picture, each as likely as the others. The pixel
/// lies in the middle half of the crop, but for the edges of the picture.
/// Crops at scale 1 without rotation and deformation are the picture's own pixels. Every option
/// uses random numbers of its own: turning one on does not change what the others do.
LabelledPicture augment(ImageView image, const LabelMap& labels, const AugmentOptions& options,
                        RandomStream& random, const LabelMap& instances = {});

}  // namespace segmentum
