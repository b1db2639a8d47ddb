#include "metrics/rand_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// '#' is the interior of a cell (1), '.' border (0), '?' ignored.
LabelMap drawing(const std::vector<std::string>& rows) {
  LabelMap map(static_cast<int>(rows.size()), static_cast<int>(rows[0].size()));
  for (int y = 0; y < map.height(); ++y) {
    for (int x = 0; x < map.width(); ++x) {
      map(y, x) = rows[y][x] == '#' ? 1 : rows[y][x] == '?' ? kIgnoreLabel : 0;
    }
  }
  return map;
}

TEST(RandScores, PerfectIsOne) {
  const LabelMap truth = drawing({"##.#", "##.#"});
  const auto scores = rand_scores(truth, truth, 1);
  ASSERT_TRUE(scores);
  EXPECT_EQ(scores->f_score, 1);
  EXPECT_EQ(scores->error, 0);
}

// Cells of 4 and 2 pixels joined by a leak: n = {4, 2}, a = {6}, b = {4, 2}.
TEST(RandScores, LeakingBorderCostsPrecision) {
  const auto scores = rand_scores(drawing({"####", "##.#"}), drawing({"##.#", "##.#"}), 1);
  ASSERT_TRUE(scores);
  EXPECT_DOUBLE_EQ(scores->precision, 20.0 / 36);
  EXPECT_DOUBLE_EQ(scores->recall, 1);
  EXPECT_DOUBLE_EQ(scores->f_score, 40.0 / 56);
  EXPECT_DOUBLE_EQ(scores->error, 16.0 / 56);
}

// One cell of 5 cut by a border of one pixel: n = a = {2, 1, 2}, b = {5}.
TEST(RandScores, FalseBorderCostsRecall) {
  const auto scores = rand_scores(drawing({"##.##"}), drawing({"#####"}), 1);
  ASSERT_TRUE(scores);
  EXPECT_DOUBLE_EQ(scores->precision, 1);
  EXPECT_DOUBLE_EQ(scores->recall, 9.0 / 25);
  EXPECT_DOUBLE_EQ(scores->f_score, 18.0 / 34);
}

// Two predicted border pixels do not form one segment: n = {1, 1, 1}, b = {3}.
TEST(RandScores, EachPredictedBorderPixelIsASegmentOfItsOwn) {
  const auto scores = rand_scores(drawing({"#.."}), drawing({"###"}), 1);
  ASSERT_TRUE(scores);
  EXPECT_DOUBLE_EQ(scores->recall, 3.0 / 9);
}

// The diagonal touch joins nothing, and what is predicted outside true cells counts nowhere.
TEST(RandScores, FourConnectedAndRestrictedToTheForeground) {
  const LabelMap diagonal = drawing({"#.", ".#"});
  EXPECT_EQ(rand_scores(diagonal, diagonal, 1)->f_score, 1);
  EXPECT_EQ(rand_scores(drawing({"##...#"}), drawing({"##...."}), 1)->f_score, 1);
}

TEST(RandScores, NoForegroundHasNoScore) {
  EXPECT_FALSE(rand_scores(drawing({"##"}), drawing({".?"}), 1));
}

TEST(RandScores, PredictionsUnderIgnoredPixelsChangeNoNumber) {
  const LabelMap truth = drawing({"##?##", "##?##"});
  const auto bridge = rand_scores(drawing({"#####", "##.##"}), truth, 1);
  const auto cut = rand_scores(drawing({"##.##", "##.##"}), truth, 1);
  EXPECT_EQ(bridge->f_score, 1);
  EXPECT_EQ(cut->f_score, 1);

  RandomStream random(2, 0, 0);
  LabelMap noise(30, 40), labels(30, 40);
  for (auto& label : noise.labels()) label = random.chance(0.6);
  for (auto& label : labels.labels()) {
    label = random.chance(0.2) ? kIgnoreLabel : static_cast<std::uint16_t>(random.chance(0.7));
  }
  const auto before = rand_scores(noise, labels, 1);
  for (std::size_t i = 0; i < labels.labels().size(); ++i) {
    if (labels.labels()[i] == kIgnoreLabel) noise.labels()[i] ^= 1;
  }
  const auto after = rand_scores(noise, labels, 1);
  EXPECT_EQ(before->precision, after->precision);
  EXPECT_EQ(before->recall, after->recall);
}

TEST(RandScores, RejectsOtherSizes) {
  EXPECT_THAT([] { rand_scores(LabelMap(2, 3), LabelMap(2, 2), 1); },
              testing::Throws<Error>(testing::Property(
                  &Error::what, testing::HasSubstr("is 3x2 but the labels are 2x2"))));
}

}  // namespace
}  // namespace segmentum
