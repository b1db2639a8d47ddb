// Weights that teach a network the gaps between neighbouring objects.
#pragma once

#include <vector>

#include "segmentum/image.h"

namespace segmentum {

struct BorderOptions {
  double weight = 0;    // w0: of the thinnest gap; 0: none (published: 10)
  double sigma_px = 5;  // how fast the weight falls as gaps widen
  bool line = false;    // a line of background between objects that touch

  bool need_instances() const { return weight > 0 || line; }
};

/// For each pixel that is in no object (0), in the order of rows,
///   weight * exp(-(d1 + d2)^2 / (2 sigma^2))
/// with the distances to the nearest and to the second nearest object in pixels, from centre to
/// centre; 0 in objects, in ignored pixels and where there is no second object. Terms below a
/// millionth of the weight are left out. To be added to the class weights: Ronneberger et al.,
/// MICCAI 2015, equation 2. O(H*W + objects * (side + 10 sigma)^2).
std::vector<float> border_weights(const LabelMap& instances, const BorderOptions& options);

/// Makes background (0 in both maps) of the pixels of an object that have an object of a larger
/// number among their eight neighbours: a line one pixel wide wherever two objects touch.
void draw_border_line(LabelMap& instances, LabelMap& labels);

}  // namespace segmentum
