#include "metrics/detail_intervals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

LabelMap row(const std::vector<std::uint16_t>& labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

Probabilities sure(const std::vector<std::uint16_t>& labels, float probability) {
  Probabilities probabilities(2, 1, static_cast<int>(labels.size()));
  for (std::size_t x = 0; x < labels.size(); ++x) {
    probabilities.row(labels[x], 0)[x] = probability;
    probabilities.row(1 - labels[x], 0)[x] = 1 - probability;
  }
  return probabilities;
}

const LabelMap kTruth = row({0, 0, 1, 1}), kWrong = row({0, 0, 0, 0});

// Of two pictures, one all right and one without the class: a resample has 0, 1 or 2 right ones
// with probabilities 1/4, 1/2, 1/4.
TEST(DetailIntervals, BordersByHand) {
  BoundaryCounts counts(3, BoundaryTolerance::pixels(0));
  counts.add(kTruth, kTruth);
  counts.add(kWrong, kTruth);
  const BoundaryIntervals wide = bootstrap(counts, {.resamples = 1000, .level = 0.9});
  EXPECT_EQ(wide.mean_f->low, 0);
  EXPECT_EQ(wide.mean_f->high, 1);
  EXPECT_EQ(wide.mean_f_of_pictures->low, 0);
  EXPECT_EQ(wide.mean_f_of_pictures->high, 1);
  const BoundaryIntervals narrow = bootstrap(counts, {.resamples = 1000, .level = 0.4});
  // One of two border pixels found, no wrong one: 2 * 1/2 / (3/2). The mean of 1 and 0 is 1/2.
  EXPECT_DOUBLE_EQ(narrow.mean_f->low, 2.0 / 3);
  EXPECT_DOUBLE_EQ(narrow.mean_f->high, 2.0 / 3);
  EXPECT_DOUBLE_EQ(narrow.mean_f_of_pictures->low, 0.5);
  EXPECT_DOUBLE_EQ(narrow.f.at(1)->high, 2.0 / 3);
  EXPECT_DOUBLE_EQ(narrow.f_of_pictures.at(0)->high, 0.5);
  ASSERT_EQ(narrow.f.size(), 3U);
  EXPECT_FALSE(narrow.f[2] || narrow.f_of_pictures[2]);
}

TEST(DetailIntervals, TrimapsByHand) {
  TrimapCounts counts(2, 3);
  counts.add(kTruth, kTruth);
  counts.add(kWrong, kTruth);
  const TrimapIntervals wide = bootstrap(counts, {.resamples = 1000, .level = 0.9});
  ASSERT_EQ(wide.mean_iou.size(), 3U);
  // Width 1 holds pixels 1 and 2: half of them right in the second picture.
  EXPECT_EQ(wide.pixel_accuracy[0]->low, 0.5);
  EXPECT_EQ(wide.pixel_accuracy[0]->high, 1);
  EXPECT_EQ(wide.mean_iou[2]->low, 0.25);
  const TrimapIntervals narrow = bootstrap(counts, {.resamples = 1000, .level = 0.4});
  EXPECT_DOUBLE_EQ(narrow.pixel_accuracy[0]->low, 0.75);
  EXPECT_DOUBLE_EQ(narrow.mean_iou[0]->high, (2.0 / 3 + 1.0 / 2) / 2);
}

TEST(DetailIntervals, WhereNoBandHoldsAPixel) {
  TrimapCounts counts(1, 2);
  counts.add(row({0, 0}), row({0, 0}));
  const TrimapIntervals none = bootstrap(counts, {.resamples = 10});
  EXPECT_FALSE(none.pixel_accuracy[0] || none.mean_iou[1]);
}

// Both pictures are 75 % sure; all right in one, half right in the other.
TEST(DetailIntervals, CalibrationByHand) {
  CalibrationCounts counts(10);
  const std::vector<std::uint16_t> right{0, 0, 1, 1}, half{0, 0, 0, 0};
  counts.add(sure(right, 0.75f), row(right), kTruth);
  counts.add(sure(half, 0.75f), row(half), kTruth);
  const CalibrationIntervals wide = bootstrap(counts, {.resamples = 1000, .level = 0.9});
  // |1/2 - 3/4| and |1 - 3/4| at the ends, |3/4 - 3/4| between them.
  EXPECT_DOUBLE_EQ(wide.expected_error->low, 0);
  EXPECT_DOUBLE_EQ(wide.expected_error->high, 0.25);
  EXPECT_DOUBLE_EQ(wide.largest_error->high, 0.25);
}

TEST(DetailIntervals, NeedPictures) {
  EXPECT_THAT([] { bootstrap(BoundaryCounts(2), {}); },
              testing::Throws<Error>(
                  testing::Property(&Error::what, testing::HasSubstr("of no pictures"))));
}

}  // namespace
}  // namespace segmentum
