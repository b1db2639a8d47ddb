// How well predicted borders follow the true ones, which an IoU, ruled by the insides, hardly
// tells.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// How far a border may lie from where it should be and still count as right.
class BoundaryTolerance {
 public:
  /// The usual one: 0.75 % of a picture's diagonal.
  BoundaryTolerance() = default;
  /// Throws Error unless the number is finite and not negative.
  static BoundaryTolerance pixels(double px);
  static BoundaryTolerance of_diagonal(double part);
  /// "3" or "3px", "0.75%" (of the diagonal). Throws Error for another text.
  static BoundaryTolerance parse(const std::string& text);

  double in_pixels(int height, int width) const;
  /// "0.75 % of the diagonal" or "3 px".
  std::string text() const;
  bool operator==(const BoundaryTolerance&) const = default;

 private:
  double value_ = 0.0075;
  bool of_diagonal_ = true;
};

/// Border pixels of one class, and those that have a border pixel of the same class in the other
/// label map within the tolerance.
struct BorderPixels {
  std::int64_t truth = 0;
  std::int64_t truth_found = 0;
  std::int64_t predicted = 0;
  std::int64_t predicted_right = 0;
  bool operator==(const BorderPixels&) const = default;
};

/// Counts borders over as many pictures as one likes.
///
/// A border pixel of a class has a neighbour (of four) of another class. Ignored pixels take no
/// part in either label map: they are no border and make none. Nor does the edge of the picture.
class BoundaryCounts {
 public:
  /// Throws Error unless there is a class.
  explicit BoundaryCounts(int classes, const BoundaryTolerance& tolerance = {});

  /// Throws Error as ConfusionMatrix::add. Distances are Euclidean, from centre to centre.
  /// O(H*W + border pixels * tolerance^2), less where most borders are right.
  void add(const LabelMap& prediction, const LabelMap& truth);
  /// Takes the other's pictures behind its own. Throws Error if classes or tolerances differ.
  BoundaryCounts& operator+=(const BoundaryCounts& other);

  const std::vector<BorderPixels>& classes() const { return counts_; }
  /// The same of each picture, in the order in which they were added.
  const std::vector<std::vector<BorderPixels>>& pictures() const { return pictures_; }
  const BoundaryTolerance& tolerance() const { return tolerance_; }

 private:
  BoundaryTolerance tolerance_;
  std::vector<BorderPixels> counts_;
  std::vector<std::vector<BorderPixels>> pictures_;
};

struct BoundaryClassScores {
  std::optional<double> precision;  // part of the predicted border that is right
  std::optional<double> recall;     // part of the true border that was found
  std::optional<double> f;          // 2PR / (P + R); empty without any border, 0 without a match
  std::optional<double> f_of_pictures;  // the mean of F over pictures where its border is true
};

struct BoundaryScores {
  std::vector<BoundaryClassScores> classes;
  std::optional<double> mean_f;  // over the classes that have one
  /// BF: the mean over pictures of the mean F of the classes whose border is true there.
  std::optional<double> mean_f_of_pictures;
};

/// Boundary F scores of everything counted, in two ways: with the border pixels of the whole split
/// summed first, so that every pixel of border counts alike (`precision`, `recall`, `f`, `mean_f`),
/// and as means over pictures (`..._of_pictures`).
///
/// The latter is BF of Csurka et al., "What is a good evaluation measure for semantic
/// segmentation?", BMVC 2013, as SegNet (PAMI 2017) reports it: F of each class that is in the
/// picture's truth, their mean, and the mean of these over pictures. What was predicted of a class
/// without a true border in a picture costs nothing there. We differ where a class is present and
/// all of its border lies along ignored pixels or the picture's edge: it has no border here.
BoundaryScores scores(const BoundaryCounts& counts);

/// The same of some of the pictures, by their numbers; one may come several times.
BoundaryScores scores(const BoundaryCounts& counts, std::span<const std::uint32_t> pictures);

}  // namespace segmentum
