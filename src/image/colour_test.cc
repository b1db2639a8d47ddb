#include "image/colour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint8_t> jittered(Image image, const ColourJitter& jitter) {
  jitter_colours(image, jitter);
  return samples_of<std::uint8_t>(image);
}

Image grey_pair() {
  return make_image<std::uint8_t>(1, 2, 1, {100, 200});
}

TEST(Jitter, DefaultsChangeNothing) {
  EXPECT_THAT(jittered(grey_pair(), {}), ElementsAre(100, 200));
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 3, {1, 99, 250}), {}),
              ElementsAre(1, 99, 250));
}

TEST(Jitter, BrightnessIsAFactorHeldInRange) {
  EXPECT_THAT(jittered(grey_pair(), {.brightness = 1.5}), ElementsAre(150, 255));
}

TEST(Jitter, ContrastPivotsOnTheMeanGrey) {
  EXPECT_THAT(jittered(grey_pair(), {.contrast = 0.5}), ElementsAre(125, 175));
  EXPECT_THAT(jittered(grey_pair(), {.contrast = 0}), ElementsAre(150, 150));
  EXPECT_THAT(jittered(grey_pair(), {.brightness = 0.5, .contrast = 0.5}), ElementsAre(63, 88));
  // A red and a blue pixel: mean grey is (0.299 + 0.114) / 2 * 255 = 52.66.
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 2, 3, {255, 0, 0, 0, 0, 255}), {.contrast = 0}),
              testing::Each(53));
}

TEST(Jitter, SaturationZeroIsGrey) {
  const Image green = make_image<std::uint8_t>(1, 1, 3, {0, 200, 0});
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 3, {0, 200, 0}), {.saturation = 0}),
              ElementsAre(117, 117, 117));  // 0.587 * 200 = 117.4
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 3, {80, 80, 80}), {.saturation = 3}),
              ElementsAre(80, 80, 80));
}

TEST(Jitter, HueTurnsColoursAndKeepsGreysAndLuminance) {
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 3, {80, 80, 80}), {.hue_turns = 0.2}),
              ElementsAre(80, 80, 80));
  Image red = make_image<float>(1, 1, 3, {1, 0, 0});
  jitter_colours(red, {.hue_turns = 1.0 / 3});
  const auto turned = samples_of<float>(red);
  EXPECT_GT(turned[1], turned[0]);
  EXPECT_GT(turned[1], turned[2]);
  EXPECT_NEAR(0.299 * turned[0] + 0.587 * turned[1] + 0.114 * turned[2], 0.299, 1e-6);
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 3, {1, 99, 250}), {.hue_turns = 1}),
              ElementsAre(1, 99, 250));  // a whole turn
}

TEST(Jitter, GammaIsAPowerOfTheFullScale) {
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 3, 1, {0, 51, 255}), {.gamma = 2}),
              ElementsAre(0, 10, 255));  // (51 / 255)^2 * 255 = 10.2
  Image words = make_image<std::uint16_t>(1, 1, 1, {6554});
  jitter_colours(words, {.gamma = 2});
  EXPECT_EQ(samples_of<std::uint16_t>(words)[0], 655);  // 6554^2 / 65535 = 655.4
  Image floats = make_image<float>(1, 3, 1, {-1, 0, 1});
  jitter_colours(floats, {.gamma = 2});
  EXPECT_THAT(samples_of<float>(floats), ElementsAre(-1, -0.5f, 1));
}

TEST(Jitter, AlphaIsKeptAndOtherBandsTakeBrightness) {
  EXPECT_THAT(
      jittered(make_image<std::uint8_t>(1, 1, 4, {10, 20, 30, 77}), {.brightness = 2, .gamma = 1}),
      ElementsAre(20, 40, 60, 77));
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 2, {10, 77}), {.brightness = 2}),
              ElementsAre(20, 77));
  EXPECT_THAT(jittered(make_image<std::uint8_t>(1, 1, 5, {1, 2, 3, 4, 5}),
                       {.brightness = 2, .saturation = 0}),
              ElementsAre(2, 4, 6, 8, 10));
}

TEST(Jitter, RefusesImpossibleFactors) {
  Image image = grey_pair();
  EXPECT_THAT(error_of([&] { jitter_colours(image, {.contrast = -1}); }),
              HasSubstr("contrast is -1"));
  EXPECT_THAT(error_of([&] { jitter_colours(image, {.gamma = 0}); }), HasSubstr("gamma is 0"));
}

TEST(Noise, HasTheStatedMeanAndDeviationAndIsRepeatable) {
  Image image(100, 100, 1, PixelType::f32);
  RandomStream random(1, 2, 3);
  add_gaussian_noise(image, 0.1, random);
  double sum = 0, squares = 0;
  for (const float value : samples_of<float>(image)) {
    sum += value;
    squares += value * value;
  }
  // Of 10,000 samples: four standard errors, 4 * 0.1 / 100 and 4 * 0.1 / sqrt(20000).
  EXPECT_NEAR(sum / 10000, 0, 0.004);
  EXPECT_NEAR(std::sqrt(squares / 10000), 0.1, 0.003);
  Image again(100, 100, 1, PixelType::f32);
  RandomStream same(1, 2, 3);
  add_gaussian_noise(again, 0.1, same);
  EXPECT_EQ(samples_of<float>(image), samples_of<float>(again));
}

TEST(Noise, AlphaIsKept) {
  Image image(10, 10, 2);
  RandomStream random(1, 0, 0);
  add_gaussian_noise(image, 0.5, random);
  for (int i = 1; i < 200; i += 2) EXPECT_EQ(image.row<std::uint8_t>(0)[i], 0);
}

TEST(Blur, SpreadsAPointToTheGaussiansWeights) {
  Image point(1, 9, 1, PixelType::f32);
  point.row<float>(0)[4] = 1;
  const auto blurred = samples_of<float>(gaussian_blur(point, 1));
  const double sum = 1 + 2 * (std::exp(-0.5) + std::exp(-2.0) + std::exp(-4.5));
  EXPECT_NEAR(blurred[4], 1 / sum, 1e-6);
  EXPECT_NEAR(blurred[3], std::exp(-0.5) / sum, 1e-6);
  EXPECT_NEAR(blurred[1], std::exp(-4.5) / sum, 1e-6);
  EXPECT_EQ(blurred[0], 0);
  EXPECT_FLOAT_EQ(blurred[2], blurred[6]);
}

TEST(Blur, KeepsFlatPicturesAlphaAndTheSumOfReflectedOnes) {
  const Image image = make_image<std::uint8_t>(1, 2, 2, {50, 9, 50, 200});
  EXPECT_THAT(samples_of<std::uint8_t>(gaussian_blur(image, 2)), ElementsAre(50, 9, 50, 200));
  EXPECT_THAT(samples_of<std::uint8_t>(gaussian_blur(grey_pair(), 0)), ElementsAre(100, 200));
  const auto blurred = samples_of<float>(gaussian_blur(make_image<float>(3, 1, 1, {0, 6, 0}), 5));
  EXPECT_NEAR(blurred[0] + blurred[1] + blurred[2], 6, 1e-5);
}

TEST(ToRgb, ReplicatesGreyAndDropsAlpha) {
  EXPECT_THAT(samples_of<std::uint8_t>(to_rgb(grey_pair())),
              ElementsAre(100, 100, 100, 200, 200, 200));
  EXPECT_THAT(samples_of<std::uint8_t>(to_rgb(make_image<std::uint8_t>(1, 1, 2, {5, 9}))),
              ElementsAre(5, 5, 5));
  EXPECT_THAT(
      samples_of<std::uint8_t>(to_rgb(make_image<std::uint8_t>(1, 1, 6, {1, 2, 3, 4, 5, 6}))),
      ElementsAre(1, 2, 3));
}

TEST(FirstChannels, ArePackedAnew) {
  const Image image = make_image<std::uint16_t>(1, 2, 4, {1, 2, 3, 4, 5, 6, 7, 8});
  const Image colours = first_channels(image, 3);
  EXPECT_THAT(samples_of<std::uint16_t>(colours), ElementsAre(1, 2, 3, 5, 6, 7));
  EXPECT_THROW(first_channels(image, 5), Error);
  EXPECT_THROW(first_channels(image, 0), Error);
  EXPECT_TRUE(has_alpha(4, 3) && has_alpha(2, 1) && has_alpha(4, 1));
  EXPECT_FALSE(has_alpha(4, 4) || has_alpha(3, 1) || has_alpha(4, 5));
}

TEST(ToRgb, ScalesDeepPictures) {
  const Image words = make_image<std::uint16_t>(1, 3, 1, {1000, 1255, 1510});
  EXPECT_THAT(samples_of<std::uint8_t>(to_rgb(words)),
              ElementsAre(0, 0, 0, 128, 128, 128, 255, 255, 255));
  EXPECT_EQ(to_rgb(words, DisplayRange::full).row<std::uint8_t>(0)[0], 4);  // 1000 / 257 = 3.9
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Image floats = make_image<float>(1, 3, 1, {-1, nan, 1});
  EXPECT_THAT(samples_of<std::uint8_t>(to_rgb(floats)),
              ElementsAre(0, 0, 0, 0, 0, 0, 255, 255, 255));
  EXPECT_THAT(samples_of<std::uint8_t>(to_rgb(Image(1, 2, 1, PixelType::f32))), testing::Each(0));
}

}  // namespace
}  // namespace segmentum
