#include "image/distance_transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"

namespace segmentum {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr double kFar = std::numeric_limits<double>::infinity();

// One pixel at (1, 1) of 3x4: squares of the sides of right-angled triangles.
TEST(DistanceTransform, OnePixelByHand) {
  std::vector<double> grid(12, kFar);
  grid[1 * 4 + 1] = 0;
  squared_distance_transform(grid, 3, 4);
  EXPECT_THAT(grid, ElementsAre(2, 1, 2, 5, 1, 0, 1, 4, 2, 1, 2, 5));
}

TEST(DistanceTransform, EmptySetsAreInfinitelyFar) {
  std::vector<double> grid(6, kFar);
  squared_distance_transform(grid, 2, 3);
  EXPECT_THAT(grid, Each(kFar));
}

TEST(DistanceTransform, StartingValuesCount) {
  std::vector<double> grid{9, kFar, kFar, 0};
  squared_distance_transform(grid, 1, 4);
  EXPECT_THAT(grid, ElementsAre(9, 4, 1, 0));
}

TEST(DistanceTransform, EqualsASearchOverAllPixels) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomStream random(5, 0, seed);
    const int height = 1 + static_cast<int>(random.below(17));
    const int width = 1 + static_cast<int>(random.below(23));
    const double share = random.uniform();
    std::vector<double> grid(static_cast<std::size_t>(height) * width, kFar);
    for (double& value : grid) value = random.chance(share) ? 0 : kFar;
    std::vector<double> expected(grid.size(), kFar);
    for (int i = 0; i < height * width; ++i) {
      for (int j = 0; j < height * width; ++j) {
        const int dy = i / width - j / width, dx = i % width - j % width;
        expected[i] = std::min(expected[i], dy * dy + dx * dx + grid[j]);
      }
    }
    squared_distance_transform(grid, height, width);
    EXPECT_EQ(grid, expected) << height << "x" << width;
  }
}

}  // namespace
}  // namespace segmentum
