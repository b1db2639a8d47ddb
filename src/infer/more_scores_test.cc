#include "infer/more_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

LabelMap row(const std::vector<std::uint16_t>& labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

double value(const MoreScores& scores, const std::string& name) {
  for (const auto& [known, mean] : scores.means()) {
    if (known == name) return mean;
  }
  ADD_FAILURE() << "no score " << name;
  return -1;
}

constexpr std::uint16_t kIgnored = kIgnoreLabel;

// One cell of 4 that was cut in 2 and 1 by a border pixel, one that is as it should be: means over
// both pictures. The third shows no cell.
TEST(MoreScores, CellsAreMeansOverPictures) {
  MoreScores scores(2, {.interior = 1});
  scores.add({}, {}, row({1, 1, 0, 1}), row({1, 1, 1, 1}));
  scores.add({}, {}, row({1, 1, 0, 0}), row({1, 1, 0, 0}));
  scores.add({}, {}, row({1, 1, 0, 0}), row({0, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(value(scores, "Rand recall"), (6.0 / 16 + 1) / 2);
  EXPECT_DOUBLE_EQ(value(scores, "adapted Rand recall"), (1.0 / 6 + 1) / 2);
  EXPECT_DOUBLE_EQ(value(scores, "VI of splits (bits)"), 1.5 / 2);  // 1/2 log2 2 + 1/2 log2 4
  EXPECT_DOUBLE_EQ(value(scores, "VI of merges (bits)"), 0);
  EXPECT_DOUBLE_EQ(value(scores, "warping error"), 0.25 / 2);
  const auto intervals = scores.intervals({.resamples = 200});
  EXPECT_DOUBLE_EQ(intervals.at("warping error").low, 0);
  EXPECT_DOUBLE_EQ(intervals.at("warping error").high, 0.25);
}

TEST(MoreScores, ObjectsOfMasksWithoutAnInstanceMap) {
  MoreScores scores(3, {.objects = true});
  // Objects of other classes never match: of three true ones one is found.
  scores.add({}, {}, row({1, 1, 0, 1, 1}), row({1, 1, 0, 2, 1}));
  // What is predicted under ignored pixels joins nothing: both are found.
  scores.add({}, {}, row({1, 1, 1, 1, 1}), row({1, 1, kIgnored, 1, 1}));
  EXPECT_DOUBLE_EQ(value(scores, "object precision 0.50"), (1.0 / 4 + 1) / 2);
  ASSERT_TRUE(scores.objects());
  EXPECT_EQ(scores.objects()->all.truth, 5);
  EXPECT_EQ(scores.objects()->all.predicted, 4);
}

TEST(MoreScores, ObjectsOfAnInstanceMap) {
  const fs::path root = fs::path(testing::TempDir()) / "more_scores";
  fs::create_directories(root);
  const std::uint8_t ids[] = {3, 3, 7, 7, 0};
  write_png(root / "ids.png", ImageView{ids, 1, 5, 1, PixelType::u8, 0});
  Dataset dataset;
  dataset.root = root;
  const Sample sample{.name = "a", .image = {}, .mask = {}, .group = {}, .instances = "ids.png"};
  MoreScores scores(2, {.objects = true});
  scores.add(dataset, sample, row({1, 1, 1, 1, 0}), row({1, 1, 1, 1, 0}));
  EXPECT_EQ(scores.objects()->all.truth, 2);
  EXPECT_EQ(scores.objects()->all.predicted, 1);
  EXPECT_EQ(value(scores, "object precision 0.50"), 0);  // an IoU of one half is no match
}

// At 0.5 and below the two cells are one; above, the second has a pixel of border at its end, which
// the thinned one takes back.
TEST(MoreScores, CellsAtThresholds) {
  MoreScores scores(2, {.interior = 1, .thresholds = true});
  const LabelMap truth = row({1, 1, 0, 1, 1}), joined = row({1, 1, 1, 1, 1});
  Probabilities probabilities(2, 1, 5);
  const float of_cells[] = {0.95f, 0.95f, 0.55f, 0.95f, 0.55f};
  for (int x = 0; x < 5; ++x) {
    probabilities.row(1, 0)[x] = of_cells[x];
    probabilities.row(0, 0)[x] = 1 - of_cells[x];
  }
  scores.add({}, {}, joined, truth);
  scores.add(probabilities, joined, truth);
  EXPECT_DOUBLE_EQ(value(scores, "Rand F-score"), 16.0 / 24);
  EXPECT_DOUBLE_EQ(value(scores, "best Rand F-score"), 12.0 / 14);
  EXPECT_DOUBLE_EQ(value(scores, "thinned Rand F-score"), 1);
  EXPECT_DOUBLE_EQ(value(scores, "threshold of thinned Rand F-score"), 0.6);
  EXPECT_DOUBLE_EQ(value(scores, "thinned VI (bits)"), 0);
  const auto intervals = scores.intervals({.resamples = 10});
  EXPECT_DOUBLE_EQ(intervals.at("best Rand F-score").high, 12.0 / 14);
  EXPECT_FALSE(intervals.contains("threshold of thinned Rand F-score"));
  EXPECT_THROW(MoreScores(2, {.thresholds = true}), Error);
}

TEST(MoreScores, NothingAskedNothingSaid) {
  MoreScores scores(2, {});
  scores.add({}, {}, row({1}), row({1}));
  EXPECT_TRUE(scores.means().empty());
  EXPECT_FALSE(scores.boundary());
  EXPECT_FALSE(scores.calibration());
  EXPECT_FALSE(scores.sweep());
  EXPECT_FALSE(scores.objects());
}

}  // namespace
}  // namespace segmentum
