#include "profile/signature.h"

#include <gtest/gtest.h>

#include <set>

namespace segmentum {
namespace {

LabelMap bright(const Image& picture, int from) {
  LabelMap labels(picture.height(), picture.width());
  for (int y = 0; y < picture.height(); ++y) {
    for (int x = 0; x < picture.width(); ++x) {
      labels(y, x) = picture.row<std::uint8_t>(y)[x * picture.channels()] >= from ? 1 : 0;
    }
  }
  return labels;
}

// The number itself: the pictures follow from whole numbers, so it is the same everywhere.
TEST(Signature, IsTheSameEverywhere) {
  EXPECT_EQ(label_signature(3, [](const Image& picture) { return bright(picture, 128); }),
            "a099160fcc61afab");
}

TEST(Signature, MovesWithOnePixel) {
  std::set<std::string> signatures;
  for (const int odd : {-1, 0, 1}) {
    signatures.insert(label_signature(1, [&](const Image& picture) {
      LabelMap labels = bright(picture, 128);
      if (odd >= 0) labels(0, odd) = 7;
      return labels;
    }));
  }
  EXPECT_EQ(signatures.size(), 3u);
}

TEST(Signature, PicturesHaveShapesAndGrain) {
  const Image picture = signature_picture(0, 40, 30, 2);
  std::set<int> values;
  for (int x = 0; x < 30; ++x) values.insert(picture.row<std::uint8_t>(20)[2 * x]);
  EXPECT_GT(values.size(), 15u);
  const LabelMap labels = bright(picture, 128);
  int marked = 0;
  for (const std::uint16_t label : labels.labels()) marked += label;
  EXPECT_GT(marked, 40 * 30 / 10);
  EXPECT_LT(marked, 40 * 30 * 9 / 10);
}

}  // namespace
}  // namespace segmentum
