#include "metrics/threshold_sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/threads.h"
#include "metrics/segments.h"
#include "metrics/variation_of_information.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

LabelMap row(const std::vector<std::uint16_t>& labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

/// A row of probabilities of class 1, of two.
Probabilities cells(const std::vector<float>& of_one) {
  Probabilities probabilities(2, 1, static_cast<int>(of_one.size()));
  for (std::size_t x = 0; x < of_one.size(); ++x) {
    probabilities.row(1, 0)[x] = of_one[x];
    probabilities.row(0, 0)[x] = 1 - of_one[x];
  }
  return probabilities;
}

// Two true cells of two pixels. Up to 0.3 the border leaks: n = {2, 2}, a = {4}, b = {2, 2}. From
// 0.4 to 0.6 all is right. Above, the last pixel is taken for border: n = a = {2, 1, 1}, which the
// thinned cell takes back, as nothing lies behind it.
TEST(ThresholdSweep, CountedByHand) {
  ThresholdSweep sweep(1);
  sweep.add(cells({0.95f, 0.95f, 0.35f, 0.95f, 0.65f}), row({1, 1, 0, 1, 1}));
  const std::vector<SweptScores> curve = sweep_curve(sweep);
  ASSERT_EQ(curve.size(), 9U);
  for (const SweptScores& at : curve) {
    SCOPED_TRACE(at.threshold);
    const bool leaks = at.threshold<0.35, thick = at.threshold> 0.65;
    EXPECT_DOUBLE_EQ(at.rand_f, leaks ? 16.0 / 24 : thick ? 12.0 / 14 : 1);
    EXPECT_DOUBLE_EQ(at.thinned_rand_f, leaks ? 16.0 / 24 : 1);
    EXPECT_DOUBLE_EQ(at.thinned_rand_f_of_pairs, at.thinned_rand_f);
    EXPECT_DOUBLE_EQ(at.thinned_information_f, leaks ? 0 : 1);
    EXPECT_DOUBLE_EQ(at.thinned_information_bits, leaks ? 1 : 0);  // which of two cells
  }
  const std::vector<BestOfSweep> best = best_of(sweep);
  ASSERT_EQ(best.size(), 5U);
  for (const BestOfSweep& one : best) EXPECT_DOUBLE_EQ(one.threshold, 0.4) << one.name;
  EXPECT_EQ(best[1].name, "thinned Rand F-score");
  EXPECT_DOUBLE_EQ(best[1].score, 1);
  EXPECT_DOUBLE_EQ(best[4].score, 0);
  EXPECT_FALSE(best[0].interval);
}

// A border of three predicted pixels where one is true: the cells lose a pixel each, n = a =
// {3, 1, 1, 3}, b = {4, 4}. Thinned it is the true one.
TEST(ThresholdSweep, AThickBorderCostsOnlyWithoutThinning) {
  ThresholdSweep sweep(1, {0.5});
  sweep.add(cells({1, 1, 1, 0, 0, 0, 1, 1, 1}), row({1, 1, 1, 1, 0, 1, 1, 1, 1}));
  const SweptScores at = sweep_curve(sweep).front();
  EXPECT_DOUBLE_EQ(at.rand_f, 40.0 / 52);
  EXPECT_DOUBLE_EQ(at.thinned_rand_f, 1);
}

// What leaks is not mended by thinning, and a line inside a true cell stays a segment of its own:
// n = a = {2, 1, 2}, b = {5}.
TEST(ThresholdSweep, ThinLinesWithinCellsCount) {
  ThresholdSweep sweep(1, {0.5});
  sweep.add(cells({1, 1, 0, 1, 1}), row({1, 1, 1, 1, 1}));
  const SweptScores at = sweep_curve(sweep).front();
  EXPECT_DOUBLE_EQ(at.thinned_rand_f, 18.0 / 34);
  EXPECT_DOUBLE_EQ(at.thinned_information_f, 0);
}

// One threshold for all pictures: the first is right at 0.2, the second at 0.8 alone.
TEST(ThresholdSweep, OneThresholdForTheSplit) {
  ThresholdSweep sweep(1, {0.2, 0.8});
  const LabelMap two_cells = row({1, 1, 0, 1, 1}), one_cell = row({1, 1, 1, 1, 1});
  sweep.add(cells({1, 1, 0.5f, 1, 1}), one_cell);              // at 0.8 cut: 18/34
  sweep.add(cells({1, 1, 0.5f, 1, 1}), two_cells);             // at 0.2 joined: 16/24
  sweep.add(cells({1, 1, 0.5f, 1, 1}), row({0, 0, 0, 0, 0}));  // shows no cell
  const std::vector<SweptScores> curve = sweep_curve(sweep);
  EXPECT_DOUBLE_EQ(curve[0].thinned_rand_f, (1 + 16.0 / 24) / 2);
  EXPECT_DOUBLE_EQ(curve[1].thinned_rand_f, (18.0 / 34 + 1) / 2);
  // Pairs at 0.2: joint 25 + 8, predicted 25 + 16, true 25 + 8.
  EXPECT_DOUBLE_EQ(curve[0].thinned_rand_f_of_pairs, 66.0 / 74);
  const BootstrapOptions options{.resamples = 400};
  const BestOfSweep best = best_of(sweep, options)[1];
  EXPECT_DOUBLE_EQ(best.threshold, 0.2);
  // A resample of twice the same picture is all right at one of the thresholds.
  ASSERT_TRUE(best.interval);
  EXPECT_DOUBLE_EQ(best.interval->low, (1 + 16.0 / 24) / 2);
  EXPECT_DOUBLE_EQ(best.interval->high, 1);
}

TEST(ThresholdSweep, IgnoredPixelsChangeNothing) {
  const LabelMap truth = row({1, 1, kIgnoreLabel, 1, 1});
  for (const float under : {0.0f, 1.0f}) {
    ThresholdSweep sweep(1, {0.5});
    sweep.add(cells({1, 1, under, 1, 0}), truth);
    const SweptScores at = sweep_curve(sweep).front();
    EXPECT_DOUBLE_EQ(at.thinned_rand_f, 1) << under;
    EXPECT_DOUBLE_EQ(at.rand_f, 12.0 / 14) << under;
  }
}

TEST(ThresholdSweep, ThreadsChangeNothing) {
  const auto on = [&](int count) {
    const ThreadsInScope scope(count);
    ThresholdSweep sweep(1);
    sweep.add(cells({0.95f, 0.85f, 0.35f, 0.75f, 0.65f}), row({1, 1, 0, 1, 1}));
    return sweep_json(sweep);
  };
  EXPECT_EQ(on(1), on(3));
}

TEST(ThresholdSweep, AsTextAndJson) {
  ThresholdSweep sweep(1, {0.5});
  EXPECT_EQ(sweep_json(sweep), "[]");
  EXPECT_TRUE(best_of(sweep).empty());
  sweep.add(cells({1, 1, 1, 0, 0, 0, 1, 1, 1}), row({1, 1, 1, 1, 0, 1, 1, 1, 1}));
  EXPECT_EQ(
      sweep_table(sweep),
      "cells above, in %    Rand F thinned: Rand F   all pairs   information F    VI, bits\n"
      "50                    76.92          100.00      100.00          100.00      0.0000\n");
  const auto json = nlohmann::json::parse(sweep_json(sweep));
  EXPECT_DOUBLE_EQ(json[0]["rand_f"], 40.0 / 52);
  EXPECT_EQ(json[0]["thinned_rand_f_of_pairs"], 1);
}

TEST(ThresholdSweep, ErrorsSayWhatIs) {
  const auto error_with = [](const char* text) {
    return testing::Throws<Error>(testing::Property(&Error::what, testing::HasSubstr(text)));
  };
  EXPECT_THAT([] { ThresholdSweep(1, {}); }, error_with("over no thresholds"));
  ThresholdSweep third(2), first(0);
  EXPECT_THAT(
      [&] {
        third.add(cells({1, 1}), row({1, 1}));
      },
      error_with("class 2, but there are 2 classes"));
  EXPECT_THAT(
      [&] {
        first.add(cells({1, 1}), row({1}));
      },
      error_with("the probabilities are 2x1 but the labels are 1x1"));
}

// Four pixels, true halves {2, 2}, predicted quarters 1 and 3: H(T) = 1, H(S) = 2 - 3/4 log2 3,
// H(S,T) of {1, 1, 2} = 1.5.
TEST(InformationF, CountedByHand) {
  const std::vector<std::int32_t> truth{0, 0, 2, 2}, predicted{0, 1, 1, 1};
  const double of_predicted = 2 - 0.75 * std::log2(3.0);
  const double shared = 1 + of_predicted - 1.5;
  EXPECT_DOUBLE_EQ(*information_f_score(segment_overlaps(predicted, truth, Gap::own_segments)),
                   2 * shared / (1 + of_predicted));
  EXPECT_DOUBLE_EQ(*information_f_score(segment_overlaps(truth, truth, Gap::own_segments)), 1);
  const std::vector<std::int32_t> one(3, 0);
  EXPECT_DOUBLE_EQ(*information_f_score(segment_overlaps(one, one, Gap::own_segments)), 1);
  EXPECT_FALSE(information_f_score({}));
}

}  // namespace
}  // namespace segmentum
