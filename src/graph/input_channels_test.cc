#include "graph/input_channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

// Two filters of one tap: 1, 2, 4 and 10, 20, 40 for red, green and blue.
Tensor rgb_weight() {
  Tensor weight({2, 3, 1, 1});
  std::ranges::copy(std::vector<float>{1, 2, 4, 10, 20, 40}, weight.data());
  return weight;
}

TEST(InputChannels, OneTakesTheSum) {
  const Tensor grey = adapt_input_channels(rgb_weight(), 1);
  EXPECT_EQ(grey.shape(), Shape({2, 1, 1, 1}));
  EXPECT_THAT(grey.values(), ElementsAre(7, 70));
}

// Five channels: red, green, blue, red, green, each 3/5 as strong.
TEST(InputChannels, MoreTakeTurns) {
  const Tensor five = adapt_input_channels(rgb_weight(), 5);
  EXPECT_EQ(five.shape(), Shape({2, 5, 1, 1}));
  EXPECT_THAT(five.values(), ElementsAre(0.6f, 1.2f, 2.4f, 0.6f, 1.2f, 6, 12, 24, 6, 12));
  EXPECT_THAT(adapt_input_channels(rgb_weight(), 2).values(), ElementsAre(1.5f, 3, 15, 30));
  EXPECT_THAT(adapt_input_channels(rgb_weight(), 3).values(), ElementsAre(1, 2, 4, 10, 20, 40));
}

TEST(InputChannels, TapsKeepTheirPlaces) {
  Tensor weight({1, 2, 1, 2});
  std::ranges::copy(std::vector<float>{1, 2, 30, 40}, weight.data());
  EXPECT_THAT(adapt_input_channels(weight, 1).values(), ElementsAre(31, 42));
  EXPECT_THAT(adapt_input_channels(weight, 4).values(),
              ElementsAre(0.5f, 1, 15, 20, 0.5f, 1, 15, 20));
}

TEST(InputChannels, RefusesOtherShapes) {
  EXPECT_THROW(adapt_input_channels(Tensor({3}), 1), Error);
  EXPECT_THROW(adapt_input_channels(rgb_weight(), 0), Error);
}

TEST(InputChannels, FirstConvolutionsReadThePicture) {
  GraphBuilder g("two_readers");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId padded = g.pad("pad", image, {.multiple = 4});
  const ValueId a = g.conv("stem", padded, {.channels = 3});
  const ValueId b = g.conv("side", g.resize("half", image, {.scale = 1}), {.channels = 3});
  g.output("logits", g.conv("head", g.add("sum", a, b), {.channels = 2}));
  EXPECT_THAT(first_convolution_weights(std::move(g).build()),
              ElementsAre("side.weight", "stem.weight"));
}

}  // namespace
}  // namespace segmentum
