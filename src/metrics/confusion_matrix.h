// All scores come from one count: how many pixels of class `truth` were predicted as `prediction`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// What the scores of one class follow from, in pixels.
struct ClassCounts {
  std::int64_t truth = 0;
  std::int64_t predicted = 0;
  std::int64_t right = 0;  // both

  ClassCounts& operator+=(const ClassCounts& other);
  bool operator==(const ClassCounts&) const = default;
};

/// Scores of one class; empty where the class has no pixel to speak of.
struct ClassScores {
  std::int64_t truth_pixels = 0;
  std::int64_t predicted_pixels = 0;
  std::int64_t right_pixels = 0;
  std::optional<double> iou;  // empty union: no score; predicted but absent: 0
  std::optional<double> dice;
  std::optional<double> accuracy;  // recall; empty where the class is absent
  std::optional<double> precision;
};

/// Scores of a whole split.
struct Scores {
  std::int64_t pixels = 0;  // labelled
  double pixel_accuracy = 0;
  double mean_accuracy = 0;  // over classes that are present
  double mean_iou = 0;       // over classes with a score
  double frequency_weighted_iou = 0;
  double mean_dice = 0;
  std::vector<ClassScores> classes;
};

/// Throws Error if the two differ in size, or if a label or the prediction under a labelled pixel
/// is no class of `classes`. Ignored pixels may hold anything.
void require_comparable(const LabelMap& prediction, const LabelMap& truth, int classes);

class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int classes);

  int classes() const { return classes_; }
  std::int64_t operator()(int truth, int prediction) const {
    return counts_[static_cast<std::size_t>(truth) * classes_ + prediction];
  }
  /// Counts every pixel whose truth is not kIgnoreLabel. Throws Error, and counts nothing, unless
  /// the two are comparable.
  void add(const LabelMap& prediction, const LabelMap& truth);
  void add(int truth, int prediction, std::int64_t count);
  ConfusionMatrix& operator+=(const ConfusionMatrix& other);

 private:
  int classes_;
  std::vector<std::int64_t> counts_;
};

/// Every score derived from the counts. O(classes^2).
Scores scores(const ConfusionMatrix& matrix);

/// The same from what they follow from: one entry for each class.
Scores scores(std::span<const ClassCounts> classes);
std::vector<ClassCounts> class_counts(const ConfusionMatrix& matrix);
std::vector<ClassCounts> class_counts(const Scores& scores);

}  // namespace segmentum
