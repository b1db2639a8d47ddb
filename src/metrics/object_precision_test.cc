#include "metrics/object_precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

LabelMap row(const std::vector<std::uint16_t>& ids) {
  LabelMap map(1, static_cast<int>(ids.size()));
  std::ranges::copy(ids, map.labels().begin());
  return map;
}

// IoU 3/4 and 1: the first pair counts up to 0.70 (0.75 must be exceeded), the second always.
TEST(ObjectPrecision, CountedByHand) {
  const LabelMap truth = row({1, 1, 1, 1, 0, 2, 2}), predicted = row({5, 5, 5, 0, 0, 6, 6});
  const ObjectMatches matches = match_objects({predicted}, {truth});
  EXPECT_EQ(matches.truth, 2);
  EXPECT_EQ(matches.predicted, 2);
  EXPECT_THAT(matches.matched, testing::ElementsAre(2, 2, 2, 2, 2, 1, 1, 1, 1, 1));
  EXPECT_DOUBLE_EQ(*matches.precision(0), 1);
  EXPECT_DOUBLE_EQ(*matches.precision(5), 1.0 / 3);  // TP 1, FP 1, FN 1
  EXPECT_DOUBLE_EQ(*matches.mean_precision(), (5 * 1 + 5 / 3.0) / 10);
}

// Halves of one object: neither exceeds 0.5.
TEST(ObjectPrecision, AnIouOfOneHalfIsNoMatch) {
  const LabelMap truth = row({1, 1, 1, 1}), predicted = row({1, 1, 2, 2});
  const ObjectMatches matches = match_objects({predicted}, {truth});
  EXPECT_EQ(matches.matched[0], 0);
  EXPECT_EQ(*matches.mean_precision(), 0);
}

TEST(ObjectPrecision, LimitsAndSymmetry) {
  const LabelMap some = row({1, 1, 2, 0, 3, 3, 3}), other = row({1, 1, 1, 0, 2, 2, 0}),
                 none = row({0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(*match_objects({some}, {some}).mean_precision(), 1);
  EXPECT_EQ(*match_objects({none}, {some}).mean_precision(), 0);
  EXPECT_EQ(*match_objects({some}, {none}).mean_precision(), 0);
  EXPECT_FALSE(match_objects({none}, {none}).mean_precision());
  EXPECT_EQ(match_objects({some}, {other}).matched, match_objects({other}, {some}).matched);
}

TEST(ObjectPrecision, ClassesMustAgree) {
  const LabelMap ids = row({1, 1, 2, 2});
  const std::vector<std::uint16_t> classes{0, 1, 2}, others{0, 1, 1};
  EXPECT_EQ(match_objects({ids, classes}, {ids, classes}).matched[0], 2);
  EXPECT_EQ(match_objects({ids, classes}, {ids, others}).matched[0], 1);
  EXPECT_THAT(
      [&] {
        match_objects({ids, std::vector<std::uint16_t>{0, 1}}, {ids, classes});
      },
      testing::Throws<Error>(
          testing::Property(&Error::what, testing::HasSubstr("object 2 has no class"))));
}

TEST(ObjectPrecision, IgnoredPixelsAreInNoObject) {
  const std::uint16_t ignored = kIgnoreLabel;
  const LabelMap truth = row({1, 1, ignored, ignored});
  EXPECT_EQ(*match_objects({row({1, 1, 1, 2})}, {truth}).mean_precision(), 1);
  EXPECT_EQ(match_objects({row({1, 1, 1, 2})}, {truth}).predicted, 1);
}

TEST(ObjectPrecision, MeanOverPicturesThatHaveObjects) {
  const LabelMap some = row({1, 1, 0}), none = row({0, 0, 0});
  const std::vector<ObjectMatches> pictures{
      match_objects({some}, {some}), match_objects({none}, {some}), match_objects({none}, {none})};
  const auto mean = object_precision(pictures);
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->pictures, 2);
  EXPECT_EQ(mean->all.truth, 2);
  for (const double precision : mean->at) EXPECT_DOUBLE_EQ(precision, 0.5);
  EXPECT_FALSE(object_precision({}));
  EXPECT_THAT([&] { match_objects({some}, {LabelMap(2, 3)}); },
              testing::Throws<Error>(testing::Property(
                  &Error::what, testing::HasSubstr("on 3x1 pixels, the true ones on 3x2"))));
}

}  // namespace
}  // namespace segmentum
