#include "metrics/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A picture of two classes with 10 pixels each, of which `right` are right.
PictureCounts picture(int right) {
  return {{10, 20 - right, right}, {10, right, right}};
}

TEST(Quantile, BetweenNeighbours) {
  EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile({0, 1}, 0.25), 0.25);
  EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

TEST(Bootstrap, PicturesThatAreAlikeLeaveNoDoubt) {
  const std::vector<PictureCounts> alike(5, {{10, 10, 8}, {10, 10, 8}});
  const ScoreIntervals intervals = bootstrap(alike, {.resamples = 50});
  EXPECT_DOUBLE_EQ(intervals.pixel_accuracy.low, 0.8);
  EXPECT_DOUBLE_EQ(intervals.pixel_accuracy.high, 0.8);
  EXPECT_DOUBLE_EQ(intervals.mean_iou.low, 8.0 / 12);
}

// Of two pictures, one all right and one all wrong, a resample takes 0, 1 or 2 right ones with
// probabilities 1/4, 1/2, 1/4.
TEST(Bootstrap, CountedByHand) {
  const std::vector<PictureCounts> pictures{{{10, 10, 10}}, {{10, 10, 0}}};
  const ScoreIntervals wide = bootstrap(pictures, {.resamples = 2000, .level = 0.9});
  EXPECT_EQ(wide.pixel_accuracy.low, 0);
  EXPECT_EQ(wide.pixel_accuracy.high, 1);
  const ScoreIntervals narrow = bootstrap(pictures, {.resamples = 2000, .level = 0.4});
  EXPECT_EQ(narrow.pixel_accuracy.low, 0.5);
  EXPECT_EQ(narrow.pixel_accuracy.high, 0.5);
}

// The standard error of a mean of n values with deviation s is s/sqrt(n); the interval of 95 %
// reaches 1.96 of them to both sides.
TEST(Bootstrap, WidthOfAMean) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 2);  // s = 1/2
  const ScoreInterval interval = bootstrap_mean(values, {.resamples = 4000});
  EXPECT_NEAR(interval.low, 0.5 - 1.96 * 0.025, 0.004);  // of 4000 resamples: deviation 0.001
  EXPECT_NEAR(interval.high, 0.5 + 1.96 * 0.025, 0.004);
}

// Any score: here the largest number drawn, and one that only a resample of twice the same picture
// has. Of two pictures, three resamples in four draw the second.
TEST(Bootstrap, OfWhateverFollowsFromPictures) {
  const auto intervals = bootstrap_scores(
      2, {.resamples = 2000, .level = 0.9}, [](std::span<const std::uint32_t> drawn) {
        const double largest = std::max(drawn[0], drawn[1]);
        const auto twice = drawn[0] == drawn[1] ? std::optional(7.0) : std::nullopt;
        return std::vector<std::optional<double>>{largest, twice, std::nullopt};
      });
  ASSERT_EQ(intervals.size(), 3U);
  EXPECT_EQ(intervals[0]->low, 0);
  EXPECT_EQ(intervals[0]->high, 1);
  EXPECT_EQ(intervals[1]->low, 7);
  EXPECT_EQ(intervals[1]->high, 7);
  EXPECT_FALSE(intervals[2]);
}

// The draws are the same everywhere, so that scores of one split move together.
TEST(Bootstrap, TheSameDrawsForAllScores) {
  const std::vector<double> values{0, 0.1, 0.5, 0.7, 1};
  const BootstrapOptions options{.resamples = 100, .seed = 4};
  const auto mean = bootstrap_scores(5, options, [&](std::span<const std::uint32_t> drawn) {
    double sum = 0;
    for (const std::uint32_t i : drawn) sum += values[i];
    return std::vector<std::optional<double>>{sum / 5};
  });
  const ScoreInterval same = bootstrap_mean(values, options);
  EXPECT_EQ(mean[0]->low, same.low);
  EXPECT_EQ(mean[0]->high, same.high);
}

TEST(Bootstrap, SameSeedSameBitsForAnyThreads) {
  std::vector<PictureCounts> pictures;
  for (int right = 0; right <= 10; ++right) pictures.push_back(picture(right));
  const auto run = [&](int count, std::uint64_t seed) {
    const ThreadsInScope scope(count);
    return bootstrap(pictures, {.resamples = 100, .seed = seed});
  };
  const ScoreIntervals one = run(1, 5), three = run(3, 5), other = run(1, 6);
  EXPECT_EQ(one.mean_iou.low, three.mean_iou.low);
  EXPECT_EQ(one.mean_iou.high, three.mean_iou.high);
  EXPECT_NE(one.mean_iou.low, other.mean_iou.low);
  const double all = scores(std::vector<ClassCounts>{{110, 165, 55}, {110, 55, 55}}).mean_iou;
  EXPECT_LT(one.mean_iou.low, all);
  EXPECT_GT(one.mean_iou.high, all);
}

TEST(Bootstrap, AClassWithoutPixelsHasNoInterval) {
  const std::vector<PictureCounts> pictures(3, {{10, 10, 8}, {0, 0, 0}});
  const ScoreIntervals intervals = bootstrap(pictures, {.resamples = 20});
  EXPECT_TRUE(intervals.iou[0]);
  EXPECT_FALSE(intervals.iou[1]);
}

TEST(Bootstrap, RejectsWhatMakesNoSense) {
  const auto error_with = [](const char* text) {
    return testing::Throws<Error>(testing::Property(&Error::what, testing::HasSubstr(text)));
  };
  EXPECT_THAT([] { bootstrap({}, {}); }, error_with("of no pictures"));
  const std::vector<PictureCounts> pictures{{{1, 1, 1}}, {{1, 1, 1}, {1, 1, 1}}};
  EXPECT_THAT([&] { bootstrap(pictures, {}); }, error_with("with 1 and with 2 classes"));
  EXPECT_THAT([&] { bootstrap(pictures, {.resamples = 0}); }, error_with("of 0 resamples"));
  EXPECT_THAT([&] { bootstrap(pictures, {.level = 1}); }, error_with("between 0 and 1"));
}

}  // namespace
}  // namespace segmentum
