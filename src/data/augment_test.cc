#include "data/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

// Red is x, green is y, blue is the label; labels are blocks of 4x4.
LabelledPicture scene(int height, int width) {
  LabelledPicture picture{Image(height, width, 3), LabelMap(height, width)};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int label = (y / 4 + x / 4) % 3;
      auto* pixel = picture.image.row<std::uint8_t>(y) + std::ptrdiff_t{3} * x;
      pixel[0] = static_cast<std::uint8_t>(x);
      pixel[1] = static_cast<std::uint8_t>(y);
      pixel[2] = static_cast<std::uint8_t>(100 * label);
      picture.labels(y, x) = static_cast<std::uint16_t>(label);
    }
  }
  return picture;
}

AugmentOptions nothing(int height, int width) {
  return {.crop_height = height,
          .crop_width = width,
          .scale_min = 1,
          .scale_max = 1,
          .flip_horizontal = 0};
}

LabelledPicture augmented(const LabelledPicture& from, const AugmentOptions& options,
                          std::uint32_t sample = 0) {
  RandomStream random(7, 0, sample);
  return augment(from.image, from.labels, options, random);
}

bool same_pixels(const Image& a, const Image& b) {
  return a.height() == b.height() && a.width() == b.width() &&
         std::equal(a.data(), a.data() + a.row_bytes() * a.height(), b.data());
}

TEST(Augment, IdentityKeepsEveryPixel) {
  const LabelledPicture from = scene(13, 18);
  for (const AugmentOptions& options : {nothing(13, 18), nothing(0, 0)}) {
    const LabelledPicture to = augmented(from, options);
    EXPECT_TRUE(same_pixels(to.image, from.image));
    EXPECT_EQ(to.labels, from.labels);
  }
}

TEST(Augment, FlipsMirrorBoth) {
  const LabelledPicture from = scene(6, 9);
  AugmentOptions options = nothing(6, 9);
  options.flip_horizontal = options.flip_vertical = 1;
  const LabelledPicture to = augmented(from, options);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 9; ++x) {
      EXPECT_EQ(to.labels(y, x), from.labels(5 - y, 8 - x));
      EXPECT_EQ(to.image.row<std::uint8_t>(y)[3 * x], 8 - x);
      EXPECT_EQ(to.image.row<std::uint8_t>(y)[3 * x + 1], 5 - y);
    }
  }
}

TEST(Augment, CropsAtScaleOneAreThePicturesOwnPixels) {
  const LabelledPicture from = scene(20, 30);
  bool differ = false;
  int first_x = -1;
  for (std::uint32_t sample = 0; sample < 20; ++sample) {
    const LabelledPicture to = augmented(from, nothing(7, 8), sample);
    const int x0 = to.image.row<std::uint8_t>(0)[0], y0 = to.image.row<std::uint8_t>(0)[1];
    ASSERT_LE(x0, 22);
    ASSERT_LE(y0, 13);
    for (int y = 0; y < 7; ++y) {
      for (int x = 0; x < 8; ++x) {
        ASSERT_EQ(to.labels(y, x), from.labels(y0 + y, x0 + x));
        ASSERT_EQ(to.image.row<std::uint8_t>(y)[3 * x], x0 + x);
      }
    }
    differ = differ || (first_x >= 0 && x0 != first_x);
    first_x = x0;
  }
  EXPECT_TRUE(differ);
}

TEST(Augment, PictureAndLabelsStayAligned) {
  // Inside of a label's block, blue tells the label also after any warp: interpolation reaches one
  // pixel of the source, so blue differs from 100 * label only next to a block's border.
  const LabelledPicture from = scene(64, 64);
  AugmentOptions options{.crop_height = 40, .crop_width = 48};
  options.rotation_degrees = 30;
  options.flip_vertical = 0.5;
  options.shift = 0.1;
  options.elastic_px = 4;
  options.elastic_spacing_px = 16;
  int compared = 0, aligned = 0, ignored = 0;
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    const LabelledPicture to = augmented(from, options, sample);
    for (int y = 0; y < 40; ++y) {
      for (int x = 0; x < 48; ++x) {
        if (to.labels(y, x) == kIgnoreLabel) {
          ++ignored;
          continue;
        }
        const int blue = to.image.row<std::uint8_t>(y)[3 * x + 2];
        ++compared;
        aligned += std::abs(blue - 100 * to.labels(y, x)) <= 50;
      }
    }
  }
  EXPECT_GT(compared, 60000);
  EXPECT_GT(ignored, 1000);
  // At the corners of blocks the mixture of four labels may be nearer to another one.
  EXPECT_GT(aligned, 0.9 * compared);
}

TEST(Augment, OutsideIsMirroredAndIgnored) {
  const LabelledPicture from = scene(4, 4);
  const LabelledPicture to = augmented(from, nothing(4, 12));
  int labelled = 0;
  for (const std::uint16_t label : to.labels.labels()) labelled += label != kIgnoreLabel;
  EXPECT_EQ(labelled, 16);  // all of the picture, at one place or another
  for (int x = 0; x < 12; ++x) EXPECT_LT(to.image.row<std::uint8_t>(0)[3 * x], 4);
}

TEST(Augment, ScaleEnlarges) {
  const LabelledPicture from = scene(8, 8);
  AugmentOptions options = nothing(16, 16);
  options.scale_min = options.scale_max = 2;
  const LabelledPicture to = augmented(from, options);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) ASSERT_EQ(to.labels(y, x), from.labels(y / 2, x / 2));
  }
}

TEST(Augment, ColoursNeverTouchLabels) {
  const LabelledPicture from = scene(16, 16);
  AugmentOptions options = nothing(16, 16);
  options.brightness = options.contrast = options.saturation = options.gamma = 0.5;
  options.hue_turns = 0.2;
  options.noise = 0.1;
  options.blur_px = 2;
  const LabelledPicture to = augmented(from, options);
  EXPECT_EQ(to.labels, from.labels);
  EXPECT_FALSE(same_pixels(to.image, from.image));
}

TEST(Augment, TurningOneOptionOnLeavesTheOthersAsTheyWere) {
  const LabelledPicture from = scene(40, 40);
  AugmentOptions options{.crop_height = 16, .crop_width = 16};
  const LabelledPicture plain = augmented(from, options);
  options.noise = 0.1;
  options.brightness = 0.3;
  EXPECT_EQ(augmented(from, options).labels, plain.labels);
}

// One pixel of class 1 in 64x64: a random crop of 16 shows it in about 1 of 9 cases, one around a
// class drawn from two in every second case and as rarely beyond that.
TEST(Augment, CropsAroundAClass) {
  LabelledPicture from{Image(64, 64, 3), LabelMap(64, 64)};
  from.labels(20, 45) = 1;
  const auto shown = [&](AugmentOptions options) {
    int count = 0;
    for (std::uint32_t sample = 0; sample < 200; ++sample) {
      const LabelledPicture to = augmented(from, options, sample);
      count += std::ranges::count(to.labels.labels(), 1) > 0;
    }
    return count;
  };
  AugmentOptions options = nothing(16, 16);
  EXPECT_LT(shown(options), 40);
  options.class_crop = 1;
  EXPECT_NEAR(shown(options), 100 + 10, 30);  // four deviations
  options.scale_min = 1;
  options.scale_max = 2;  // labels are nearest: none is lost
  options.rotation_degrees = 30;
  EXPECT_NEAR(shown(options), 100 + 10, 30);
}

TEST(Augment, CropsAroundAClassStayInThePictureAndOnItsPixels) {
  LabelledPicture from = scene(40, 40);
  from.labels(0, 0) = 1;
  AugmentOptions options = nothing(16, 16);
  options.class_crop = 1;
  for (std::uint32_t sample = 0; sample < 20; ++sample) {
    const LabelledPicture to = augmented(from, options, sample);
    EXPECT_EQ(std::ranges::count(to.labels.labels(), kIgnoreLabel), 0);
    const auto* corner = to.image.row<std::uint8_t>(0);  // its channels are x and y
    EXPECT_EQ(to.image.row<std::uint8_t>(15)[3 * 15], corner[0] + 15);
  }
  std::ranges::fill(from.labels.labels(), kIgnoreLabel);  // nothing to draw: as without it
  AugmentOptions plain = nothing(16, 16);
  EXPECT_TRUE(same_pixels(augmented(from, options).image, augmented(from, plain).image));
}

TEST(Augment, InstancesGoTheWayOfTheLabels) {
  const LabelledPicture from = scene(40, 40);
  AugmentOptions options{.crop_height = 24, .crop_width = 20, .rotation_degrees = 30};
  options.elastic_px = 3;
  for (std::uint32_t sample = 0; sample < 5; ++sample) {
    RandomStream random(7, 0, sample);
    const LabelledPicture to = augment(from.image, from.labels, options, random, from.labels);
    EXPECT_EQ(to.instances, to.labels);
    EXPECT_EQ(to.labels, augmented(from, options, sample).labels);
  }
}

TEST(Augment, SenselessOptionsAreNamed) {
  EXPECT_THAT(error_of([] { check(AugmentOptions{.scale_min = 2, .scale_max = 1}); }),
              HasSubstr("augmentation `scale_max` is 1; expected 2 to 100"));
  EXPECT_THAT(error_of([] { check(AugmentOptions{.flip_vertical = 1.5}); }),
              HasSubstr("`flip_vertical` is 1.5; expected 0 to 1"));
  EXPECT_EQ(error_of([] { check(AugmentOptions{}); }), "");
}

}  // namespace
}  // namespace segmentum
