// How many objects were found whole, by how well their pixels must agree.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "segmentum/image.h"

namespace segmentum {

/// The IoU that a match must exceed: 0.50, 0.55, ..., 0.95.
inline constexpr int kObjectThresholds = 10;
constexpr double object_threshold(int step) {
  return 0.5 + 0.05 * step;
}

/// The objects of a picture: an id for each pixel (0: none), and the class of each id; without
/// classes all are of one.
struct ObjectMap {
  const LabelMap& ids;
  std::span<const std::uint16_t> classes = {};
};

/// Counts of one picture or of many.
struct ObjectMatches {
  std::array<std::int64_t, kObjectThresholds> matched{};  // at each threshold
  std::int64_t predicted = 0;                             // objects
  std::int64_t truth = 0;

  ObjectMatches& operator+=(const ObjectMatches& other);
  /// TP / (TP + FP + FN) at a threshold; empty where there is no object at all.
  std::optional<double> precision(int step) const;
  /// The mean of these over the thresholds.
  std::optional<double> mean_precision() const;
};

/// Matches predicted and true objects of the same class whose IoU exceeds each threshold: as no
/// two objects of a map share a pixel and all thresholds are at least one half, at most one of the
/// other map can match each. Pixels where `truth` is kIgnoreLabel are in no object. Throws Error
/// if the sizes differ, or an id has no class. O(H*W log(H*W)).
///
/// `mean_precision` of a picture, averaged over pictures, is the score of Kaggle's Data Science
/// Bowl 2018: Caicedo et al., Nature Methods 2019, and the competition's page "Evaluation".
ObjectMatches match_objects(const ObjectMap& predicted, const ObjectMap& truth);

/// The precision at each threshold, a mean over the pictures that have objects, true or predicted;
/// empty without such a picture.
struct ObjectPrecision {
  std::array<double, kObjectThresholds> at{};
  int pictures = 0;
  ObjectMatches all;  // objects of all pictures
};
std::optional<ObjectPrecision> object_precision(std::span<const ObjectMatches> pictures);

}  // namespace segmentum
