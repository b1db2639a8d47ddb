#include "data/border_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace segmentum {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::uint16_t kIgnored = kIgnoreLabel;
const BorderOptions kPublished{.weight = 10, .sigma_px = 5};

LabelMap map_of(int height, int width, std::vector<std::uint16_t> values) {
  LabelMap map(height, width);
  std::ranges::copy(values, map.labels().begin());
  return map;
}

double published(double d1, double d2) {
  return 10 * std::exp(-(d1 + d2) * (d1 + d2) / 50);
}

// Object 1, three pixels of background, object 2: every one of them is 4 pixels from both together.
TEST(BorderWeights, AGapByHand) {
  const std::vector<float> weights = border_weights(map_of(1, 6, {1, 0, 0, 0, 2, 0}), kPublished);
  EXPECT_EQ(weights[0], 0);  // in an object
  EXPECT_NEAR(weights[1], 10 * std::exp(-16 / 50.0), 1e-6);
  EXPECT_NEAR(weights[2], 7.2614904, 1e-6);
  EXPECT_NEAR(weights[3], 7.2614904, 1e-6);
  EXPECT_EQ(weights[4], 0);
  EXPECT_NEAR(weights[5], published(1, 5), 1e-6);
}

// At (1, 1): d1 = 1 to the object above, d2 = sqrt(2) to the one at the corner; a third is farther.
TEST(BorderWeights, TheTwoNearestCount) {
  const LabelMap instances = map_of(3, 4,
                                    {0, 3, 3, 0,  //
                                     0, 0, 0, 8,  //
                                     5, 0, 0, 8});
  const std::vector<float> weights = border_weights(instances, kPublished);
  EXPECT_NEAR(weights[1 * 4 + 1], published(1, std::sqrt(2.0)), 1e-6);
  EXPECT_NEAR(weights[1 * 4 + 2], published(1, 1), 1e-6);
  EXPECT_NEAR(weights[0 * 4 + 0], published(1, 2), 1e-6);
}

TEST(BorderWeights, OneObjectOrNoneHasNoGaps) {
  EXPECT_THAT(border_weights(map_of(2, 3, {0, 0, 1, 0, 1, 1}), kPublished), Each(0.0f));
  EXPECT_THAT(border_weights(LabelMap(2, 3), kPublished), Each(0.0f));
}

TEST(BorderWeights, IgnoredPixelsWeighNothingAndAreNoObject) {
  const LabelMap instances = map_of(1, 4, {1, 0, kIgnored, kIgnored});
  EXPECT_THAT(border_weights(instances, kPublished), Each(0.0f));
}

TEST(BorderWeights, EqualASearchOverAllPixels) {
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    RandomStream random(3, 0, seed);
    const BorderOptions options{.weight = 4, .sigma_px = random.uniform(0.5, 3)};
    const int height = 20, width = 31;
    LabelMap instances(height, width);
    for (std::uint16_t& id : instances.labels()) {
      if (random.chance(0.03)) id = static_cast<std::uint16_t>(1 + random.below(6));
    }
    const std::vector<float> weights = border_weights(instances, options);
    for (int i = 0; i < height * width; ++i) {
      std::vector<double> nearest(7, std::numeric_limits<double>::infinity());
      for (int j = 0; j < height * width; ++j) {
        const int dy = i / width - j / width, dx = i % width - j % width;
        double& distance = nearest[instances.labels()[j]];
        distance = std::min(distance, std::sqrt(dy * dy + dx * dx));
      }
      std::sort(nearest.begin() + 1, nearest.end());
      const double sum = nearest[1] + nearest[2];
      const bool background = instances.labels()[i] == 0;
      const double expected =
          background ? 4 * std::exp(-sum * sum / (2 * options.sigma_px * options.sigma_px)) : 0;
      EXPECT_NEAR(weights[i], expected, 4e-6);  // what is left out is below a millionth
    }
  }
}

TEST(BorderLine, IsOnePixelOfTheSmallerNumber) {
  LabelMap instances = map_of(3, 5,
                              {1, 1, 2, 2, 0,  //
                               1, 1, 2, 2, 0,  //
                               1, 1, 1, 3, 3});
  LabelMap labels = map_of(3, 5, {1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1});
  draw_border_line(instances, labels);
  EXPECT_THAT(instances.labels(), ElementsAre(1, 0, 2, 2, 0,  //
                                              1, 0, 0, 0, 0,  //
                                              1, 0, 0, 3, 3));
  EXPECT_THAT(labels.labels(), ElementsAre(1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1));
}

TEST(BorderLine, LeavesObjectsApartAlone) {
  LabelMap instances = map_of(1, 4, {1, 0, 2, kIgnored});
  LabelMap labels = map_of(1, 4, {1, 0, 1, kIgnored});
  draw_border_line(instances, labels);
  EXPECT_THAT(instances.labels(), ElementsAre(1, 0, 2, kIgnored));
  EXPECT_THAT(labels.labels(), ElementsAre(1, 0, 1, kIgnored));
}

}  // namespace
}  // namespace segmentum
