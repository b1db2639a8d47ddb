#include "infer/tile_grid.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

TEST(TileGrid, PartsByHand) {
  const TileGrid grid{.height = 1000, .width = 600, .rows = 512, .columns = 256};
  EXPECT_EQ(grid.count_down(), 2);
  EXPECT_EQ(grid.count_across(), 3);
  EXPECT_EQ(grid.count(), 6);
  EXPECT_EQ(grid.part(0, 0), (PixelRect{0, 0, 512, 256}));
  EXPECT_EQ(grid.part(1, 2), (PixelRect{512, 512, 488, 88}));
}

TileDemand demand(int height, int width, std::size_t pixels) {
  return {.height = height,
          .width = width,
          .multiple = 256,
          .around_px = 100,
          .memory_bytes = pixels,
          .bytes_of = [](const PixelRect& part) {  // one byte a pixel that is read
            return static_cast<std::size_t>(part.height + 100) *
                   static_cast<std::size_t>(part.width + 100);
          }};
}

TEST(TileGrid, FitsMemoryWithAsFewPixelsReadAsPossible) {
  // All at once, if it fits.
  EXPECT_EQ(choose_grid(demand(1000, 600, 10000000)), (TileGrid{1000, 600, 1024, 768}));
  // 612x868 pixels are read for a part of 512x768, 1124x356 for one of 1024x256.
  EXPECT_EQ(choose_grid(demand(1000, 600, 612 * 868)), (TileGrid{1000, 600, 512, 768}));
  // Two parts, of which the second is narrower: the first must fit, too.
  const TileDemand two = demand(1100, 1100, 600000);
  EXPECT_LE(two.bytes_of(choose_grid(two).part(0, 0)), 600000u);
  // Nothing fits: the smallest.
  EXPECT_EQ(choose_grid(demand(1000, 600, 1)), (TileGrid{1000, 600, 256, 256}));
  for (const std::size_t memory : {300000u, 1000000u, 3000000u}) {
    const TileDemand asked = demand(21600, 28800, memory);
    const TileGrid grid = choose_grid(asked);
    EXPECT_LE(asked.bytes_of(grid.part(0, 0)), memory);
    EXPECT_EQ(grid.rows % 256, 0);
    EXPECT_EQ(grid.columns % 256, 0);
  }
}

}  // namespace
}  // namespace segmentum
