#include "image/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Resize, DoublingIsHalfPixelCentred) {
  // Centres at -0.25, 0.25, 0.75, 1.25: 0, 1/4, 3/4, 1.
  const Image image = make_image<float>(1, 2, 1, {0, 4});
  EXPECT_THAT(samples_of<float>(resize(image, 1, 4)), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(samples_of<float>(resize(image, 3, 2)), ElementsAre(0, 4, 0, 4, 0, 4));
}

TEST(Resize, IntegersAreRounded) {
  const Image image = make_image<std::uint8_t>(2, 1, 1, {0, 10});
  EXPECT_THAT(samples_of<std::uint8_t>(resize(image, 4, 1)), ElementsAre(0, 3, 8, 10));  // 2.5, 7.5
}

TEST(Resize, ShrinkingSkipsOrAverages) {
  const Image image = make_image<float>(1, 8, 1, {0, 0, 0, 8, 4, 4, 4, 4});
  // By four: between the second and third of each; or the mean of each four.
  EXPECT_THAT(samples_of<float>(resize(image, 1, 2)), ElementsAre(0, 4));
  EXPECT_THAT(samples_of<float>(resize(image, 1, 2, {.antialias = true})), ElementsAre(2, 4));
}

TEST(Resize, AreasOverlapPartly) {
  const Image image = make_image<float>(1, 3, 1, {0, 3, 6});
  // (1 * 0 + 0.5 * 3) / 1.5 and (0.5 * 3 + 1 * 6) / 1.5
  const auto resized = samples_of<float>(resize(image, 1, 2, {.antialias = true}));
  EXPECT_FLOAT_EQ(resized[0], 1);
  EXPECT_FLOAT_EQ(resized[1], 5);
}

TEST(Resize, OneSideShrinksWhileTheOtherGrows) {
  const Image image = make_image<float>(4, 1, 1, {1, 3, 5, 7});
  EXPECT_THAT(samples_of<float>(resize(image, 2, 2, {.antialias = true})), ElementsAre(2, 2, 6, 6));
}

TEST(Resize, SameSizeAndConstantPicturesStayForAnyChannels) {
  Image image(5, 7, 6, PixelType::u16);
  for (int i = 0; i < 210; ++i)
    image.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(i * 300);
  EXPECT_EQ(samples_of<std::uint16_t>(resize(image, 5, 7)), samples_of<std::uint16_t>(image));
  Image flat(9, 4, 1);
  std::fill_n(flat.row<std::uint8_t>(0), 36, std::uint8_t{77});
  for (const bool antialias : {false, true}) {
    for (const int size : {1, 2, 3, 13, 40}) {
      EXPECT_THAT(samples_of<std::uint8_t>(resize(flat, size, 41 - size, {.antialias = antialias})),
                  testing::Each(77));
    }
  }
}

TEST(Resize, TheNumberOfThreadsChangesNoBit) {
  Image image(31, 33, 3, PixelType::f32);
  for (int i = 0; i < 31 * 33 * 3; ++i) image.row<float>(0)[i] = static_cast<float>(i % 101) / 7;
  set_threads(1);
  const Image one = resize(image, 50, 20, {.antialias = true});
  set_threads(2);
  const Image two = resize(image, 50, 20, {.antialias = true});
  set_threads(0);
  EXPECT_EQ(samples_of<float>(one), samples_of<float>(two));
}

TEST(Resize, RefusesEmptySizes) {
  EXPECT_THAT(error_of([] { resize(Image(2, 2, 1), 0, 3); }), HasSubstr("must be positive"));
  EXPECT_THAT(error_of([] { resize_nearest(LabelMap(2, 2), 3, 0); }),
              HasSubstr("must be positive"));
}

TEST(ResizeNearest, TakesTheLabelUnderEachCentre) {
  LabelMap labels(1, 3);
  for (int x = 0; x < 3; ++x) labels(0, x) = static_cast<std::uint16_t>(x + 1);
  // Centres at 0.5, 1.1, 1.7, 2.3, 2.9 thirds... of five in three: 0.3, 0.9, 1.5, 2.1, 2.7
  EXPECT_THAT(resize_nearest(labels, 1, 5).labels(), ElementsAre(1, 1, 2, 3, 3));
  EXPECT_THAT(resize_nearest(labels, 2, 1).labels(), ElementsAre(2, 2));
  EXPECT_EQ(resize_nearest(labels, 1, 3), labels);
}

}  // namespace
}  // namespace segmentum
