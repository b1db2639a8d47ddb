// Whether pictures have an up: a street has one, cells under a microscope have none. Masks and
// light tell.
#pragma once

#include <span>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// The mean of a number that every picture has, and how many standard errors it lies from 0.
struct Tendency {
  double mean = 0;
  double errors = 0;

  /// Large enough to matter, and not by chance.
  bool exceeds(double least) const;
};

/// Of one value a picture. Fewer than two values are no tendency.
Tendency tendency(std::span<const double> values);

/// What the pictures of a split have in common.
struct Orientation {
  int pictures = 0;
  /// Of the class whose share of the upper half differs most surely from that of the lower one: the
  /// difference. No class where nothing differs.
  Tendency labels;
  int labels_class = -1;
  Tendency light;    // of the upper half less that of the lower, by their sum
  Tendency borders;  // ln(steps between labels down the columns / along the rows)

  /// Too few pictures say nothing: they are taken to have an up.
  bool is_known() const { return pictures >= 6; }
  bool has_up() const;
  /// Borders run one way more than the other: stripes, grain.
  bool has_axis() const;
};

/// Gathers it picture by picture.
class OrientationSurvey {
 public:
  explicit OrientationSurvey(int classes) : shares_(static_cast<std::size_t>(classes)) {}
  /// Picture and labels of one size; ignored pixels count nowhere. O(H*W*C).
  void add(ImageView image, const LabelMap& labels);
  Orientation result() const;

 private:
  int pictures_ = 0;
  std::vector<std::vector<double>> shares_;  // [K][pictures]
  std::vector<double> light_;
  std::vector<double> borders_;
};

}  // namespace segmentum
