#include "configure/orientation.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/random.h"

namespace segmentum {
namespace {

TEST(Tendency, IsTheMeanInStandardErrors) {
  // Deviation 2, so the mean of four lies within 1: 6 errors from 0.
  const std::array values{4.0, 8.0, 4.0, 8.0};
  const Tendency found = tendency(values);
  EXPECT_DOUBLE_EQ(found.mean, 6);
  EXPECT_DOUBLE_EQ(found.errors, 6 / std::sqrt(16.0 / 3 / 4));
  EXPECT_TRUE(found.exceeds(6));
  EXPECT_FALSE(found.exceeds(6.1));
}

TEST(Tendency, OfNextToNothing) {
  EXPECT_EQ(tendency({}).errors, 0);
  EXPECT_EQ(tendency(std::array{3.0}).errors, 0);
  EXPECT_EQ(tendency(std::array{0.0, 0.0}).errors, 0);
  EXPECT_EQ(tendency(std::array{-2.0, -2.0}).errors, -INFINITY);
}

/// Pictures of 8x8 whose masks `paint(y, x, random)` makes, with one grey value everywhere.
template <typename Paint>
Orientation surveyed(int pictures, const Paint& paint) {
  OrientationSurvey survey(2);
  for (int i = 0; i < pictures; ++i) {
    RandomStream random(5, 0, static_cast<std::uint32_t>(i));
    Image image(8, 8, 1);
    LabelMap labels(8, 8);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        labels(y, x) = paint(y, x, random);
        image.row<std::uint8_t>(y)[x] = 100;
      }
    }
    survey.add(image, labels);
  }
  return survey.result();
}

TEST(Orientation, SkyAboveIsAnUp) {
  const Orientation street =
      surveyed(6, [](int y, int, RandomStream&) { return static_cast<std::uint16_t>(y >= 3); });
  EXPECT_EQ(street.labels_class, 0);
  EXPECT_DOUBLE_EQ(street.labels.mean, 0.75);  // 3 of the 4 upper rows, no lower one
  EXPECT_TRUE(street.is_known());
  EXPECT_TRUE(street.has_up());
}

TEST(Orientation, ScatteredCellsHaveNone) {
  const Orientation cells = surveyed(12, [](int, int, RandomStream& random) {
    return static_cast<std::uint16_t>(random.below(2));
  });
  EXPECT_FALSE(cells.has_up());
  EXPECT_FALSE(cells.has_axis());
  EXPECT_EQ(cells.labels_class, -1);
}

TEST(Orientation, StripesHaveAnAxisButNoUp) {
  const Orientation stripes = surveyed(6, [](int y, int, RandomStream& random) {
    return static_cast<std::uint16_t>(random.below(16) == 0 ? 0 : y / 2 % 2);
  });
  EXPECT_FALSE(stripes.has_up());
  EXPECT_GT(stripes.borders.mean, 0);  // steps are met down the columns
  EXPECT_TRUE(stripes.has_axis());
}

TEST(Orientation, LightFromAboveIsAnUp) {
  OrientationSurvey survey(2);
  for (int i = 0; i < 6; ++i) {
    Image image(2, 2, 1, PixelType::f32);
    image.row<float>(0)[0] = image.row<float>(0)[1] = 0.75f;
    image.row<float>(1)[0] = image.row<float>(1)[1] = 0.25f;
    survey.add(image, LabelMap(2, 2));
  }
  EXPECT_DOUBLE_EQ(survey.result().light.mean, 0.5);
  EXPECT_TRUE(survey.result().has_up());
}

TEST(Orientation, FewPicturesSayNothing) {
  const auto nothing = [](int, int, RandomStream&) { return std::uint16_t{0}; };
  EXPECT_FALSE(surveyed(5, nothing).is_known());
  // Ignored pixels alone: no share, no border.
  const Orientation ignored = surveyed(6, [](int, int, RandomStream&) { return kIgnoreLabel; });
  EXPECT_FALSE(ignored.has_up());
  EXPECT_FALSE(ignored.has_axis());
}

}  // namespace
}  // namespace segmentum
