#include "metrics/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "metrics/detail_table.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// One row of pixels of two classes; `first`: the probability of class 0 at each.
Probabilities two_classes(const std::vector<float>& first) {
  Probabilities probabilities(2, 1, static_cast<int>(first.size()));
  for (std::size_t x = 0; x < first.size(); ++x) {
    probabilities.row(0, 0)[x] = first[x];
    probabilities.row(1, 0)[x] = 1 - first[x];
  }
  return probabilities;
}

LabelMap row(const std::vector<std::uint16_t>& labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

// A model whose weights are broken says nothing.
TEST(Calibration, WhatIsNoNumberIsNoConfidence) {
  CalibrationCounts counts(10);
  counts.add(two_classes({std::numeric_limits<float>::quiet_NaN()}), row({0}), row({0}));
  EXPECT_EQ(counts.bins()[0].pixels, 1);
  EXPECT_EQ(counts.bins()[0].confidence_sum, 0);
}

// Two pixels of confidence 0.75, one right: off by 0.25; two of 1, both right; one ignored.
TEST(Calibration, CountedByHand) {
  CalibrationCounts counts(10);
  const Probabilities p = two_classes({0.75f, 0.75f, 1, 0, 0.5f});
  counts.add(p, row({0, 0, 0, 1, 1}), row({0, 1, 0, 1, kIgnoreLabel}));
  EXPECT_EQ(counts.bins()[7].pixels, 2);
  EXPECT_EQ(counts.bins()[7].right, 1);
  EXPECT_EQ(counts.bins()[9].pixels, 2);  // 1 is in the last bin
  const auto result = scores(counts);
  ASSERT_TRUE(result);
  EXPECT_DOUBLE_EQ(result->expected_error, 0.5 * 0.25);
  EXPECT_DOUBLE_EQ(result->largest_error, 0.25);
  EXPECT_DOUBLE_EQ(result->confidence, 0.875);
  EXPECT_DOUBLE_EQ(result->accuracy, 0.75);
  EXPECT_THAT(calibration_table(counts),
              testing::AllOf(testing::HasSubstr("70.0 to 80.0"), testing::HasSubstr("-25.00"),
                             testing::HasSubstr("(ECE) 12.50, largest (MCE) 25.00")));
  EXPECT_THAT(calibration_json(counts),
              testing::AllOf(testing::HasSubstr(R"("ece": 0.125, "mce": 0.25)"),
                             testing::HasSubstr(R"("pixels": 0, "confidence": null)")));
}

TEST(Calibration, RightAsOftenAsSureIsZero) {
  CalibrationCounts counts;
  counts.add(two_classes({0.75f, 0.75f, 0.75f, 0.75f}), row({0, 0, 0, 0}), row({0, 0, 0, 1}));
  EXPECT_NEAR(scores(counts)->expected_error, 0, 1e-12);
  EXPECT_FALSE(scores(CalibrationCounts()));
}

TEST(Calibration, OneBinComparesMeans) {
  RandomStream random(1, 0, 0);
  std::vector<float> first;
  std::vector<std::uint16_t> truth;
  for (int i = 0; i < 100; ++i) {
    first.push_back(static_cast<float>(random.uniform(0.5, 1)));
    truth.push_back(random.chance(0.3));
  }
  CalibrationCounts counts(1);
  counts.add(two_classes(first), LabelMap(1, 100), row(truth));
  const auto result = scores(counts);
  EXPECT_NEAR(result->expected_error, std::abs(result->accuracy - result->confidence), 1e-12);
}

TEST(Calibration, RejectsWhatDoesNotFit) {
  const auto error_with = [](const char* text) {
    return testing::Throws<Error>(testing::Property(&Error::what, testing::HasSubstr(text)));
  };
  CalibrationCounts counts;
  EXPECT_THAT([] { CalibrationCounts(0); }, error_with("calibration in 0 bins"));
  EXPECT_THAT(
      [&] {
        counts.add(two_classes({1}), row({0, 0}), row({0, 0}));
      },
      error_with("the probabilities are 1x1 but the labels are 2x1"));
  EXPECT_THAT([&] { counts.add(two_classes({1}), row({0}), row({2})); }, error_with("label 2"));
}

}  // namespace
}  // namespace segmentum
