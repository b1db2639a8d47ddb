#include "segmentum/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/testing.h"

namespace segmentum {
namespace {

TEST(Image, IsZeroFilledAndPacked) {
  Image image(2, 3, 4, PixelType::u16);
  EXPECT_EQ(image.row_bytes(), 24u);
  EXPECT_EQ(image.view().stride(), 24);
  EXPECT_EQ(image.row<std::uint16_t>(1) - image.row<std::uint16_t>(0), 12);
  EXPECT_THAT(samples_of<std::uint16_t>(image), testing::Each(0));
}

TEST(Image, RefusesEmptyAndImpossibleSizes) {
  EXPECT_THAT(error_of([] { Image(0, 3, 1); }), testing::HasSubstr("3x0 pixels with 1 channels"));
  EXPECT_THAT(error_of([] { Image(4, 4, -1); }), testing::HasSubstr("must be positive"));
  EXPECT_THAT(error_of([] { Image(2000000000, 2000000000, 2000000000); }),
              testing::HasSubstr("does not fit into memory"));
  EXPECT_THAT(error_of([] { LabelMap(-1, 2); }), testing::HasSubstr("must be positive"));
}

TEST(LabelMap, IsFilledWithItsLabel) {
  LabelMap labels(2, 2, kIgnoreLabel);
  labels(1, 0) = 3;
  EXPECT_THAT(labels.labels(), testing::ElementsAre(65535, 65535, 3, 65535));
}

TEST(Palette, VocColoursAreTheDevkitsOnes) {
  const Palette palette = Palette::voc(256);
  EXPECT_EQ(palette[0], (Rgb{0, 0, 0}));          // background
  EXPECT_EQ(palette[1], (Rgb{128, 0, 0}));        // aeroplane
  EXPECT_EQ(palette[2], (Rgb{0, 128, 0}));        // bicycle
  EXPECT_EQ(palette[8], (Rgb{64, 0, 0}));         // cat
  EXPECT_EQ(palette[15], (Rgb{192, 128, 128}));   // person
  EXPECT_EQ(palette[20], (Rgb{0, 64, 128}));      // tv monitor
  EXPECT_EQ(palette[255], (Rgb{224, 224, 192}));  // void
  EXPECT_EQ(palette[kIgnoreLabel], palette.ignore);
  EXPECT_TRUE(Palette::voc(0).colours.empty());
}

}  // namespace
}  // namespace segmentum
