#include "data/check/border_contrast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

TEST(BorderContrast, IsHighWhereLabelsEndAtEdges) {
  // Steps of 0, 90, 0 along the row; the labels change at the second.
  const Image picture = make_image<std::uint8_t>(1, 4, 1, {10, 10, 100, 100});
  LabelMap labels(1, 4);
  labels(0, 2) = labels(0, 3) = 1;
  EXPECT_DOUBLE_EQ(border_contrast(picture, labels), 3);
  LabelMap shifted(1, 4);
  shifted(0, 3) = 1;
  EXPECT_DOUBLE_EQ(border_contrast(picture, shifted), 0);
}

TEST(BorderContrast, WithoutBordersThereIsNone) {
  EXPECT_DOUBLE_EQ(border_contrast(Image(3, 3, 1), LabelMap(3, 3)), 0);
  EXPECT_EQ(error_of([] { border_contrast(Image(3, 3, 1), LabelMap(3, 4)); }),
            "the picture and its labels differ in size");
}

TEST(BorderContrast, LabelsTurnAsPicturesDo) {
  LabelMap labels(1, 3);
  labels(0, 0) = 1;
  labels(0, 1) = 2;
  labels(0, 2) = 3;
  EXPECT_THAT(oriented_labels(labels, 3).labels(), ElementsAre(3, 2, 1));
  const LabelMap turned = oriented_labels(labels, 6);  // left goes up
  EXPECT_EQ(turned.height(), 3);
  EXPECT_THAT(turned.labels(), ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace segmentum
