#include "image/overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Overlay, MixesColoursDarkensBordersAndSparesIgnored) {
  const Image image = make_image<std::uint8_t>(1, 4, 1, {100, 100, 100, 100});
  LabelMap labels(1, 4);
  labels(0, 2) = 1;
  labels(0, 3) = kIgnoreLabel;
  const Palette palette{.colours = {{200, 0, 0}, {0, 80, 0}}};
  // Pixel 1 meets another label on its right, pixel 2 the ignored one.
  EXPECT_THAT(samples_of<std::uint8_t>(overlay(image, labels, palette, 0.5)),
              ElementsAre(150, 50, 50, 100, 50, 50, 50, 70, 50, 100, 100, 100));
  EXPECT_THAT(samples_of<std::uint8_t>(overlay(image, labels, palette, 0)), testing::Each(100));
}

TEST(Overlay, RefusesOtherSizesAndOpacities) {
  const Image image(2, 3, 1);
  EXPECT_THAT(error_of([&] { overlay(image, LabelMap(3, 2), {}, 0.5); }),
              HasSubstr("the labels are 2x3 but the picture is 3x2"));
  EXPECT_THAT(error_of([&] { overlay(image, LabelMap(2, 3), {}, 1.5); }),
              HasSubstr("opacity is 1.5"));
}

TEST(DrawLabels, PaintsExactColours) {
  LabelMap labels(1, 3);
  labels(0, 1) = 1;
  labels(0, 2) = kIgnoreLabel;
  EXPECT_THAT(samples_of<std::uint8_t>(draw_labels(labels, Palette::voc(2))),
              ElementsAre(0, 0, 0, 128, 0, 0, 224, 224, 192));
}

}  // namespace
}  // namespace segmentum
