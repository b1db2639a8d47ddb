#include "metrics/confusion_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::Optional;
using testing::Throws;

auto error_with(const char* text) {
  return Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

LabelMap label_map(int height, int width, const std::vector<std::uint16_t>& labels) {
  LabelMap map(height, width);
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

constexpr std::uint16_t kVoid = kIgnoreLabel;

// Class 0: 2 right, 1 lost to class 1. Class 1: 1 right, 1 lost to 0. Class 2: occurs nowhere but
// is predicted once. Class 3: occurs nowhere at all.
const LabelMap kTruth = label_map(2, 4, {0, 0, 0, 1, 1, kVoid, 1, kVoid});
const LabelMap kPrediction = label_map(2, 4, {0, 0, 1, 1, 0, 3, 2, kVoid});

TEST(Scores, CountedByHand) {
  ConfusionMatrix matrix(4);
  matrix.add(kPrediction, kTruth);
  EXPECT_EQ(matrix(0, 0), 2);
  EXPECT_EQ(matrix(0, 1), 1);
  EXPECT_EQ(matrix(1, 0), 1);
  EXPECT_EQ(matrix(1, 2), 1);

  const Scores result = scores(matrix);
  EXPECT_EQ(result.pixels, 6);
  EXPECT_DOUBLE_EQ(result.pixel_accuracy, 3.0 / 6);
  EXPECT_DOUBLE_EQ(result.mean_accuracy, (2.0 / 3 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(result.mean_iou, (2.0 / 4 + 1.0 / 4 + 0) / 3);
  EXPECT_DOUBLE_EQ(result.mean_dice, (4.0 / 6 + 2.0 / 5 + 0) / 3);
  EXPECT_DOUBLE_EQ(result.frequency_weighted_iou, 0.5 * 2 / 4 + 0.5 * 1 / 4);

  const ClassScores& first = result.classes[0];
  EXPECT_EQ(first.truth_pixels, 3);
  EXPECT_EQ(first.predicted_pixels, 3);
  EXPECT_THAT(first.iou, Optional(2.0 / 4));
  EXPECT_THAT(first.dice, Optional(4.0 / 6));
  EXPECT_THAT(first.accuracy, Optional(2.0 / 3));
  EXPECT_THAT(first.precision, Optional(2.0 / 3));
}

TEST(Scores, AbsentClassHasNoScoreUnlessPredicted) {
  ConfusionMatrix matrix(4);
  matrix.add(kPrediction, kTruth);
  const Scores result = scores(matrix);
  EXPECT_THAT(result.classes[2].iou, Optional(0.0));
  EXPECT_THAT(result.classes[2].dice, Optional(0.0));
  EXPECT_EQ(result.classes[2].accuracy, std::nullopt);
  EXPECT_THAT(result.classes[2].precision, Optional(0.0));
  EXPECT_EQ(result.classes[3].iou, std::nullopt);
  EXPECT_EQ(result.classes[3].dice, std::nullopt);
  EXPECT_EQ(result.classes[3].precision, std::nullopt);
}

TEST(Scores, OfNothingAreZero) {
  const Scores result = scores(ConfusionMatrix(2));
  EXPECT_EQ(result.pixels, 0);
  EXPECT_EQ(result.pixel_accuracy, 0);
  EXPECT_EQ(result.mean_iou, 0);
  EXPECT_EQ(result.classes.size(), 2u);
}

TEST(ConfusionMatrix, AddsUp) {
  ConfusionMatrix both(4), one(4), two(4);
  one.add(kPrediction, kTruth);
  two.add(1, 2, 5);
  both += one;
  both += two;
  EXPECT_EQ(both(1, 2), 6);
  EXPECT_EQ(both(0, 0), 2);
}

TEST(ConfusionMatrix, PredictionsUnderIgnoredPixelsChangeNoNumber) {
  RandomStream random(1, 0, 0);
  LabelMap truth(20, 30), prediction(20, 30);
  for (auto& label : truth.labels()) {
    label = random.chance(0.3) ? kIgnoreLabel : static_cast<std::uint16_t>(random.below(5));
  }
  for (auto& label : prediction.labels()) label = static_cast<std::uint16_t>(random.below(5));
  ConfusionMatrix before(5), after(5);
  before.add(prediction, truth);
  for (std::size_t i = 0; i < truth.labels().size(); ++i) {
    if (truth.labels()[i] == kIgnoreLabel) {
      prediction.labels()[i] = static_cast<std::uint16_t>(random.below(65536));
    }
  }
  after.add(prediction, truth);
  for (int t = 0; t < 5; ++t) {
    for (int p = 0; p < 5; ++p) EXPECT_EQ(before(t, p), after(t, p));
  }
}

TEST(ConfusionMatrix, RejectsWhatDoesNotFit) {
  ConfusionMatrix matrix(2);
  const LabelMap good = label_map(1, 2, {0, 1}), bad = label_map(1, 2, {0, 2});
  const LabelMap unknown = label_map(1, 2, {0, kIgnoreLabel});
  EXPECT_THAT([&] { matrix.add(LabelMap(2, 1), good); },
              error_with("the prediction is 1x2 but the labels are 2x1"));
  EXPECT_THAT([&] { matrix.add(good, bad); }, error_with("label 2 at x=1, y=0"));
  EXPECT_THAT([&] { matrix.add(bad, good); }, error_with("predicted class 2 at x=1, y=0"));
  EXPECT_THAT([&] { matrix.add(unknown, good); }, error_with("predicted class 65535"));
  EXPECT_EQ(scores(matrix).pixels, 0);  // rejected pictures leave no trace
  EXPECT_THAT([&] { matrix.add(0, 2, 1); }, error_with("predicted as 2"));
  EXPECT_THAT([&] { matrix += ConfusionMatrix(3); }, error_with("of 2 and 3 classes"));
  EXPECT_THAT([] { ConfusionMatrix none(0); }, error_with("of 0 classes"));
}

}  // namespace
}  // namespace segmentum
