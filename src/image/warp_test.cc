#include "image/warp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Image one_two_three() {
  return make_image<std::uint8_t>(1, 3, 1, {10, 20, 30});
}

TEST(Warp, IdentityChangesNothing) {
  Image image(4, 5, 3);
  for (int i = 0; i < 60; ++i) image.row<std::uint8_t>(0)[i] = static_cast<std::uint8_t>(4 * i);
  EXPECT_EQ(samples_of<std::uint8_t>(warp(image, 4, 5, {})), samples_of<std::uint8_t>(image));
}

TEST(Warp, ShiftFlipAndHalfPixels) {
  const Image image = one_two_three();
  const auto warped = [&](const Affine& to_source) {
    return samples_of<std::uint8_t>(warp(image, 1, 3, to_source, nullptr, {.values = {7}}));
  };
  EXPECT_THAT(warped(Affine::translation(1, 0)), ElementsAre(20, 30, 7));
  EXPECT_THAT(warped(Affine::translation(3, 0) * Affine::scaling(-1, 1)), ElementsAre(30, 20, 10));
  EXPECT_THAT(warped(Affine::translation(0.5, 0)), ElementsAre(15, 25, 7));  // 3.0 is outside
  // Twice as large: source positions 0.25, 0.75, 1.25; the edge is continued up to 0.
  EXPECT_THAT(warped(Affine::scaling(0.5, 0.5)), ElementsAre(10, 13, 18));  // 10, 12.5, 17.5
}

TEST(Warp, AQuarterTurn) {
  const Image image = make_image<std::uint8_t>(2, 2, 1, {1, 2, 3, 4});
  // Turned clockwise: output (x, y) comes from (y, 2 - x).
  const Affine turn = Affine::translation(0, 2) * Affine::rotation(-std::numbers::pi / 2);
  EXPECT_THAT(samples_of<std::uint8_t>(warp(image, 2, 2, turn)), ElementsAre(3, 1, 4, 2));
}

TEST(Warp, ProductsApplyTheRightOneFirst) {
  const Affine both = Affine::scaling(2, 3) * Affine::translation(5, 7);
  EXPECT_THAT(both.a, ElementsAre(2, 0, 10, 0, 3, 21));
}

TEST(Warp, BordersAreConstantOrReflected) {
  const Affine far = Affine::translation(-4, 0);
  EXPECT_THAT(samples_of<std::uint8_t>(warp(one_two_three(), 1, 10, far)),
              ElementsAre(0, 0, 0, 0, 10, 20, 30, 0, 0, 0));
  EXPECT_THAT(samples_of<std::uint8_t>(
                  warp(one_two_three(), 1, 10, far, nullptr, {.mode = BorderMode::reflect})),
              ElementsAre(30, 30, 20, 10, 10, 20, 30, 30, 20, 10));
  const Image rgb(1, 1, 3);
  EXPECT_THAT(samples_of<std::uint8_t>(warp(rgb, 1, 2, {}, nullptr, {.values = {1, 2, 300}})),
              ElementsAre(0, 0, 0, 1, 2, 255));
  EXPECT_THAT(error_of([&] {
                warp(rgb, 1, 1, {}, nullptr, {.values = {1, 2}});
              }),
              HasSubstr("2 border values were given for a picture of 3 channels"));
}

TEST(Warp, DisplacementIsAddedAndNotANumberIsOutside) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> dx = {2, 0, nan};
  const std::vector<float> dy = {0, 0, 0};
  const DisplacementView displacement{dx.data(), dy.data()};
  EXPECT_THAT(
      samples_of<std::uint8_t>(warp(one_two_three(), 1, 3, {}, &displacement, {.values = {7}})),
      ElementsAre(30, 20, 7));
  EXPECT_THAT(samples_of<std::uint8_t>(
                  warp(one_two_three(), 1, 3, {}, &displacement, {.mode = BorderMode::reflect})),
              ElementsAre(30, 20, 10));
  EXPECT_THAT(warp_nearest(LabelMap(1, 3, 4), 1, 3, {}, &displacement).labels(),
              ElementsAre(4, 4, kIgnoreLabel));
}

TEST(Warp, EveryTypeAndNumberOfChannelsAgrees) {
  const Affine to_source =
      Affine::translation(1.25, -0.5) * Affine::rotation(0.3) * Affine::scaling(0.8, 1.1);
  for (const int channels : {1, 2, 3, 4, 7}) {
    Image bytes(9, 11, channels), words(9, 11, channels, PixelType::u16),
        floats(9, 11, channels, PixelType::f32);
    for (int i = 0; i < 99 * channels; ++i) {
      const int value = (i * 37) % 256;
      bytes.row<std::uint8_t>(0)[i] = static_cast<std::uint8_t>(value);
      words.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(value);
      floats.row<float>(0)[i] = static_cast<float>(value);
    }
    const auto exact = samples_of<float>(warp(floats, 8, 12, to_source));
    const auto from_bytes = samples_of<std::uint8_t>(warp(bytes, 8, 12, to_source));
    const auto from_words = samples_of<std::uint16_t>(warp(words, 8, 12, to_source));
    for (std::size_t i = 0; i < exact.size(); ++i) {
      ASSERT_EQ(from_bytes[i], static_cast<int>(exact[i] + 0.5f));
      ASSERT_EQ(from_words[i], from_bytes[i]);
    }
  }
}

// Black and label 0 left of an edge, white and label 1 right of it: where the warped picture is not
// half grey, it must tell the warped label.
TEST(Warp, LabelsStayAlignedWithThePicture) {
  constexpr int kSize = 64;
  Image image(kSize, kSize, 1, PixelType::f32);
  LabelMap labels(kSize, kSize);
  for (int y = 0; y < kSize; ++y) {
    for (int x = 20; x < kSize; ++x) {
      image.row<float>(y)[x] = 1;
      labels(y, x) = 1;
    }
  }
  const double middle = kSize / 2.0;
  const auto about_middle = [&](const Affine& map) {
    return Affine::translation(middle, middle) * map * Affine::translation(-middle, -middle);
  };
  std::vector<float> dx(kSize * kSize), dy(kSize * kSize);
  for (int i = 0; i < kSize * kSize; ++i) {
    dx[i] = 3 * std::sin(0.2f * (i / kSize));
    dy[i] = 2 * std::cos(0.1f * (i % kSize));
  }
  const DisplacementView waves{dx.data(), dy.data()};
  const Affine maps[] = {{},
                         Affine::translation(3.3, -1.7),
                         about_middle(Affine::scaling(0.37, 0.37)),
                         about_middle(Affine::scaling(2.9, 1.3)),
                         about_middle(Affine::scaling(-1, 1)),
                         about_middle(Affine::rotation(0.7)),
                         about_middle(Affine::rotation(2.5) * Affine::scaling(-0.6, 1.4))};
  for (const Affine& map : maps) {
    for (const DisplacementView* displacement :
         {static_cast<const DisplacementView*>(nullptr), &waves}) {
      const Image warped = warp(image, kSize, kSize, map, displacement, {.values = {-1}});
      const LabelMap warped_labels = warp_nearest(labels, kSize, kSize, map, displacement);
      int ones = 0;
      for (int y = 0; y < kSize; ++y) {
        for (int x = 0; x < kSize; ++x) {
          const float value = warped.row<float>(y)[x];
          const std::uint16_t label = warped_labels(y, x);
          ASSERT_EQ(value == -1, label == kIgnoreLabel) << y << " " << x;
          if (label == kIgnoreLabel) continue;
          ones += label;
          // 1e-4: the edge itself, where half grey may round to either side.
          if (std::fabs(value - 0.5f) > 1e-4f) {
            ASSERT_EQ(value > 0.5f, label == 1) << y << " " << x;
          }
        }
      }
      EXPECT_GT(ones, 100);
    }
  }
}

}  // namespace
}  // namespace segmentum
