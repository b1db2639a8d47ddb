#include "metrics/confusion_matrix.h"

#include <fmt/format.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

[[noreturn]] void reject(const char* what, int label, int y, int x, int classes) {
  throw Error(fmt::format("{} {} at x={}, y={}, but there are {} classes (0..{})", what, label, x,
                          y, classes, classes - 1));
}

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

// The mean of the scores that exist; 0 if none does.
class Mean {
 public:
  void add(const std::optional<double>& score) {
    if (!score) return;
    sum_ += *score;
    ++count_;
  }
  double value() const { return count_ > 0 ? sum_ / count_ : 0; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

ClassScores class_scores(const ClassCounts& counts) {
  ClassScores result;
  result.truth_pixels = counts.truth;
  result.predicted_pixels = counts.predicted;
  result.right_pixels = counts.right;
  const std::int64_t both = counts.truth + counts.predicted;
  result.iou = ratio(counts.right, both - counts.right);
  result.dice = ratio(2 * counts.right, both);
  result.accuracy = ratio(counts.right, counts.truth);
  result.precision = ratio(counts.right, counts.predicted);
  return result;
}

}  // namespace

void require_comparable(const LabelMap& prediction, const LabelMap& truth, int classes) {
  if (prediction.height() != truth.height() || prediction.width() != truth.width()) {
    throw Error(fmt::format(
        "the prediction is {}x{} but the labels are {}x{}; scores are taken at the labels' size",
        prediction.width(), prediction.height(), truth.width(), truth.height()));
  }
  for (int y = 0; y < truth.height(); ++y) {
    const std::uint16_t* predicted = prediction.row(y);
    const std::uint16_t* labels = truth.row(y);
    for (int x = 0; x < truth.width(); ++x) {
      if (labels[x] == kIgnoreLabel) continue;
      if (labels[x] >= classes) reject("label", labels[x], y, x, classes);
      if (predicted[x] >= classes) reject("predicted class", predicted[x], y, x, classes);
    }
  }
}

ConfusionMatrix::ConfusionMatrix(int classes) : classes_(classes) {
  if (classes < 1)
    throw Error(fmt::format("a confusion matrix of {} classes; it needs 1", classes));
  counts_.assign(static_cast<std::size_t>(classes) * classes, 0);
}

void ConfusionMatrix::add(const LabelMap& prediction, const LabelMap& truth) {
  require_comparable(prediction, truth, classes_);
  for (int y = 0; y < truth.height(); ++y) {
    const std::uint16_t* predicted = prediction.row(y);
    const std::uint16_t* labels = truth.row(y);
    for (int x = 0; x < truth.width(); ++x) {
      if (labels[x] == kIgnoreLabel) continue;
      ++counts_[static_cast<std::size_t>(labels[x]) * classes_ + predicted[x]];
    }
  }
}

void ConfusionMatrix::add(int truth, int prediction, std::int64_t count) {
  if (truth < 0 || truth >= classes_ || prediction < 0 || prediction >= classes_) {
    throw Error(fmt::format("class {} predicted as {}, but there are {} classes (0..{})", truth,
                            prediction, classes_, classes_ - 1));
  }
  counts_[static_cast<std::size_t>(truth) * classes_ + prediction] += count;
}

ConfusionMatrix& ConfusionMatrix::operator+=(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) {
    throw Error(fmt::format("confusion matrices of {} and {} classes cannot be added", classes_,
                            other.classes_));
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  return *this;
}

ClassCounts& ClassCounts::operator+=(const ClassCounts& other) {
  truth += other.truth;
  predicted += other.predicted;
  right += other.right;
  return *this;
}

std::vector<ClassCounts> class_counts(const ConfusionMatrix& matrix) {
  std::vector<ClassCounts> counts(static_cast<std::size_t>(matrix.classes()));
  for (int k = 0; k < matrix.classes(); ++k) {
    ClassCounts& of_class = counts[static_cast<std::size_t>(k)];
    of_class.right = matrix(k, k);
    for (int other = 0; other < matrix.classes(); ++other) {
      of_class.truth += matrix(k, other);
      of_class.predicted += matrix(other, k);
    }
  }
  return counts;
}

std::vector<ClassCounts> class_counts(const Scores& scores) {
  std::vector<ClassCounts> counts;
  for (const ClassScores& of_class : scores.classes) {
    counts.push_back({of_class.truth_pixels, of_class.predicted_pixels, of_class.right_pixels});
  }
  return counts;
}

Scores scores(const ConfusionMatrix& matrix) {
  return scores(class_counts(matrix));
}

Scores scores(std::span<const ClassCounts> classes) {
  Scores result;
  std::int64_t right = 0;
  for (const ClassCounts& counts : classes) {
    result.classes.push_back(class_scores(counts));
    result.pixels += counts.truth;
    right += counts.right;
  }
  Mean accuracy, iou, dice;
  for (const ClassScores& of_class : result.classes) {
    accuracy.add(of_class.accuracy);
    iou.add(of_class.iou);
    dice.add(of_class.dice);
    if (of_class.truth_pixels > 0) {
      result.frequency_weighted_iou += static_cast<double>(of_class.truth_pixels) /
                                       static_cast<double>(result.pixels) * *of_class.iou;
    }
  }
  result.pixel_accuracy = ratio(right, result.pixels).value_or(0);
  result.mean_accuracy = accuracy.value();
  result.mean_iou = iou.value();
  result.mean_dice = dice.value();
  return result;
}

}  // namespace segmentum
