#include "infer/tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segmentum {
namespace {

using testing::ElementsAre;

TEST(Tiles, CutByHand) {
  // Steps of 16 with a halo of 5 on a grid of 4: the halo grows to 8, the network sees 32 pixels.
  const TileRule rule{.halo_px = 5, .multiple_px = 4};
  EXPECT_THAT(cut(32, 16, rule), ElementsAre(Stretch{0, 32, 0, 32}));
  EXPECT_THAT(cut(33, 16, rule), ElementsAre(Stretch{0, 32, 0, 24}, Stretch{16, 33, 24, 33}));
  EXPECT_THAT(cut(50, 16, rule),
              ElementsAre(Stretch{0, 32, 0, 24}, Stretch{16, 48, 24, 40}, Stretch{32, 50, 40, 50}));
  EXPECT_THAT(cut(7, 1000000000, rule), ElementsAre(Stretch{0, 7, 0, 7}));
}

/// The promise of the header, for many sizes: each pixel kept once, cuts on the grid, halo whole.
TEST(Tiles, EveryCutKeepsItsPromise) {
  for (const TileRule& rule : {TileRule{0, 1}, TileRule{0, 8}, TileRule{3, 1}, TileRule{9, 8}}) {
    for (int size = 1; size < 150; ++size) {
      for (int step : {1, 8, 13, 64}) {
        int kept = 0;
        for (const Stretch& s : cut(size, step, rule)) {
          EXPECT_EQ(s.keep_from, kept);
          EXPECT_LT(s.keep_from, s.keep_to);
          EXPECT_EQ(s.from % rule.multiple_px, 0);
          EXPECT_TRUE(s.to == size || s.to % rule.multiple_px == 0);
          EXPECT_TRUE(s.from == 0 || s.keep_from - s.from >= rule.halo_px);
          EXPECT_TRUE(s.to == size || s.to - s.keep_to >= rule.halo_px);
          kept = s.keep_to;
        }
        EXPECT_EQ(kept, size);
      }
    }
  }
}

TEST(Tiles, StepFromMemory) {
  // 400 bytes a pixel and 4,000,000 bytes: 100x100 pixels, of which 2 * 16 are halo.
  EXPECT_EQ(step_within(4'000'000, 400, {.halo_px = 10, .multiple_px = 16}), 64);
  EXPECT_EQ(step_within(1, 400, {.halo_px = 10, .multiple_px = 16}), 16);
  EXPECT_EQ(step_within(1, 400, {.halo_px = 100, .multiple_px = 16}), 112);
}

TEST(Tiles, RegionIsAView) {
  Image image(4, 5, 3);
  image.row<std::uint8_t>(2)[3 * 3 + 1] = 77;
  const ImageView view = region(image, {{1, 4, 1, 4}, {2, 5, 2, 5}});
  EXPECT_EQ(view.height, 3);
  EXPECT_EQ(view.width, 3);
  EXPECT_EQ(view.row<std::uint8_t>(1)[1 * 3 + 1], 77);
}

TEST(Tiles, MirroredTile) {
  const Tile tile = mirrored({{0, 4, 0, 4}, {0, 6, 0, 5}}, 10);
  EXPECT_EQ(tile.columns, (Stretch{4, 10, 5, 10}));
}

}  // namespace
}  // namespace segmentum
