#include "data/soft_edges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A row of reds.
RawMask reds(std::initializer_list<int> values) {
  Image image(1, static_cast<int>(values.size()), 3);
  auto* out = image.row<std::uint8_t>(0);
  for (const int value : values) {
    *out = static_cast<std::uint8_t>(value);
    out += 3;
  }
  return {std::move(image), {}};
}

TEST(SoftEdges, ColoursBetweenTwoRuns) {
  EXPECT_THAT(blended_pixels(reds({0, 0, 0, 43, 85, 85, 128, 128, 128})),
              ElementsAre(Pair(0x2b0000, 1), Pair(0x550000, 2)));
}

TEST(SoftEdges, SeveralColoursNeedNotLieBetween) {
  EXPECT_THAT(blended_pixels(reds({0, 0, 0, 200, 150, 150, 128, 128, 128})),
              ElementsAre(Pair(0x960000, 2), Pair(0xc80000, 1)));
}

TEST(SoftEdges, SharpOnesHaveNone) {
  EXPECT_THAT(blended_pixels(reds({0, 0, 0, 128, 128, 128, 64, 64, 64})), IsEmpty());
  // A line in the middle of something, colours beyond, and what is no line between both.
  EXPECT_THAT(blended_pixels(reds({0, 0, 0, 64, 0, 0, 0})), IsEmpty());
  EXPECT_THAT(blended_pixels(reds({0, 0, 0, 200, 128, 128, 128})), IsEmpty());
  RawMask green = reds({0, 0, 0, 64, 128, 128, 128});
  green.values.row<std::uint8_t>(0)[3 * 3 + 1] = 64;
  EXPECT_THAT(blended_pixels(green), IsEmpty());
}

TEST(SoftEdges, WideOnesAreNone) {
  EXPECT_THAT(
      blended_pixels(reds({0, 0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 50, 50, 128, 128, 128})),
      IsEmpty());
}

TEST(SoftEdges, InColumnsToo) {
  Image image(7, 1, 3);
  constexpr int kReds[] = {0, 0, 0, 64, 128, 128, 128};
  for (int y = 0; y < 7; ++y) {
    image.row<std::uint8_t>(y)[0] = static_cast<std::uint8_t>(kReds[y]);
  }
  EXPECT_THAT(blended_pixels({std::move(image), {}}), ElementsAre(Pair(0x400000, 1)));
}

}  // namespace
}  // namespace segmentum
