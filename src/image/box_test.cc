#include "image/box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Box, BadBoxesAreToldInOneLine) {
  EXPECT_EQ(error_of([] {
              check_box({4, 2, 4, 9});
            }),
            "the box [4, 2, 4, 9) is empty; expected [x0, y0, x1, y1) with x0 < x1 and y0 < y1");
  EXPECT_EQ(error_of([] {
              check_box({0, 0, kNaN, 9});
            }),
            "the box [0, 0, nan, 9) has a side that is no number");
  EXPECT_THAT(error_of([] { check_box({0, 0, INFINITY, 9}); }), HasSubstr("no number"));
  EXPECT_EQ(error_of([] {
              part_inside({10, 0, 12.5, 3}, 8, 10);
            }),
            "the box [10, 0, 12.5, 3) lies outside of the picture, which is 10x8 (width x height)");
  EXPECT_THAT(error_of([] { part_inside({-5, -5, 0, 3}, 8, 10); }), HasSubstr("lies outside"));
}

TEST(Box, GrowsAboutItsCentreAfterItIsCutToThePicture) {
  EXPECT_EQ(crop_region({2, 2, 6, 4}, {.expand = 2}, 10, 10), (Box{0, 1, 8, 5}));
  EXPECT_EQ(crop_region({2, 2, 6, 4}, {.expand = 1}, 10, 10), (Box{2, 2, 6, 4}));
  EXPECT_EQ(crop_region({-1e9, 8, 1e9, 1e9}, {.expand = 1}, 10, 10), (Box{0, 8, 10, 10}));
  // A hundredth of a pixel is seen as one pixel.
  const Box thin = crop_region({5, 0, 5.01, 10}, {.expand = 1}, 10, 10);
  EXPECT_NEAR(thin.width(), 1, 1e-12);
  EXPECT_NEAR(thin.x0 + thin.x1, 10.01, 1e-12);
}

TEST(Box, CropsAreStretched) {
  // 10 20 30 40 in one row: the middle two, twice as wide and four times as high.
  const Image picture = make_image<std::uint8_t>(1, 4, 1, {10, 20, 30, 40});
  const Image crop = stretched_crop(picture, {1, 0, 3, 1}, 4);
  // Centres at 1.25, 1.75, 2.25, 2.75; pixel centres at 1.5 (20) and 2.5 (30).
  EXPECT_THAT(samples_of<std::uint8_t>(crop),
              ElementsAre(18, 23, 28, 33, 18, 23, 28, 33, 18, 23, 28, 33, 18, 23, 28, 33));
  const Image flipped = stretched_crop(picture, {1, 0, 3, 1}, 4, {.along_x = true});
  EXPECT_THAT(
      std::vector<std::uint8_t>(flipped.row<std::uint8_t>(0), flipped.row<std::uint8_t>(0) + 4),
      ElementsAre(33, 28, 23, 18));
}

TEST(Box, LabelsOfACropAreNearestAndIgnoredOutside) {
  LabelMap labels(2, 2);
  labels(0, 1) = 7;
  labels(1, 0) = 9;
  const LabelMap crop = stretched_crop(labels, {0, 0, 4, 2}, 4);
  EXPECT_THAT(crop.labels(),
              ElementsAre(0, 7, kIgnoreLabel, kIgnoreLabel, 0, 7, kIgnoreLabel, kIgnoreLabel,  //
                          9, 0, kIgnoreLabel, kIgnoreLabel, 9, 0, kIgnoreLabel, kIgnoreLabel));
  const LabelMap flipped = stretched_crop(labels, {0, 0, 2, 2}, 2, {.along_y = true});
  EXPECT_THAT(flipped.labels(), ElementsAre(9, 0, 0, 7));
}

// Stripes of one pixel, black and white, are grey from afar.
TEST(Box, WhatShrinksIsAveraged) {
  Image picture(64, 64, 1);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) picture.row<std::uint8_t>(y)[x] = x % 2 == 0 ? 0 : 200;
  }
  const Image crop = stretched_crop(picture, {0, 0, 64, 64}, 32);
  for (const int sample : samples_of<std::uint8_t>(crop)) EXPECT_EQ(sample, 100);
}

TEST(Box, MasksComeBackAtThePicturesSize) {
  // Two classes; the second: in at the left half, out at the right.
  Tensor logits({1, 2, 2, 2});
  for (const int y : {0, 1}) {
    logits(0, 1, y, 0) = 1;
    logits(0, 1, y, 1) = -1;
  }
  // Eight pixels of [2, 10), of which the picture has six; centres cross 0 in the middle, at 6.
  const Mask mask = pasted_mask(std::as_const(logits).view(), 1, {2, -1, 10, 3}, 5, 8);
  EXPECT_EQ(mask.top, 0);
  EXPECT_EQ(mask.left, 2);
  EXPECT_EQ(mask.height, 3);
  EXPECT_EQ(mask.width, 6);
  EXPECT_EQ(mask.area(), 3 * 4);
  EXPECT_TRUE(mask(0, 3));
  EXPECT_FALSE(mask(0, 4));
}

TEST(Box, ACropPastedBackIsTheShapeItWasCutFrom) {
  LabelMap shape(20, 30);
  for (int y = 5; y < 15; ++y) {
    for (int x = 8; x < 8 + y; ++x) shape(y, x) = 1;
  }
  const Box region = crop_region({8, 5, 22, 15}, {.expand = 1.2}, 20, 30);
  const LabelMap crop = stretched_crop(shape, region, 256);
  Tensor logits({1, 1, 256, 256});
  for (std::size_t i = 0; i < 256 * 256; ++i) {
    logits.data()[i] = crop.labels()[i] == 1 ? 4.0f : -4.0f;
  }
  const Mask mask = pasted_mask(std::as_const(logits).view(), 0, region, 20, 30);
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      EXPECT_EQ(mask(y, x), shape(mask.top + y, mask.left + x) == 1) << y << " " << x;
    }
  }
}

}  // namespace
}  // namespace segmentum
