#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/graph.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::int64_t height_after(const op::MaxPool& pool, std::int64_t height) {
  GraphBuilder g("test");
  g.output("out", g.max_pool("pool", g.input("image", {.channels = 1}), pool));
  const Graph graph = std::move(g).build();
  const Shape shape{1, 1, height, height};
  return infer_shapes(graph, {&shape, 1}).back().h();
}

// The notes' warning: 7 -> 3 on the way down, 3 -> 6 on the way up: sizes do not meet again.
TEST(Shapes, OddSizeSevenBecomesThreeThenSix) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId down = g.max_pool("down", image);
  const ValueId up = g.resize("up", down, {.scale = 2});
  g.output("out", up);
  const Graph graph = std::move(g).build();
  const Shape shape{1, 1, 7, 7};
  const auto shapes = infer_shapes(graph, {&shape, 1});
  EXPECT_EQ(shapes[down].h(), 3);
  EXPECT_EQ(shapes[up].h(), 6);
}

TEST(Shapes, CeilPoolingAsCaffe) {
  EXPECT_EQ(height_after({}, 7), 3);
  EXPECT_EQ(height_after({.ceil = true}, 7), 4);
  EXPECT_EQ(height_after({.kernel = 3, .stride = 2, .padding = 1, .ceil = true}, 4), 3);
  EXPECT_EQ(height_after({.kernel = 1, .stride = 2, .padding = 0, .ceil = true}, 4), 2);
}

TEST(Shapes, PadToMultiple) {
  EXPECT_EQ(resolve_padding({.multiple = 16}, 17, 32), Padding(0, 0, 15, 0));
  // The published U-Net: the smallest 16k + 188 that holds 388 + 184 is 572 itself.
  EXPECT_EQ(resolve_padding({.margin = 92, .multiple = 16, .remainder = 188 % 16}, 388, 389),
            Padding(92, 92, 92, 92 + 15));
  EXPECT_EQ(resolve_padding({.multiple = 16, .remainder = 12}, 1, 12), Padding(0, 0, 11, 0));
}

// Three quarters of 513 = 384.75, of 1 = 0.75: rounded up, so that nothing vanishes and 32k + 1
// becomes 24k + 1.
TEST(Shapes, ResizeToAFractionRoundsUp) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId down = g.resize("down", image, {.scale = 3, .divisor = 4});
  g.output("out", down);
  const Graph graph = std::move(g).build();
  for (const auto& [size, expected] : {std::pair{513, 385}, {512, 384}, {4, 3}, {2, 2}, {1, 1}}) {
    const Shape shape{1, 1, size, size};
    EXPECT_EQ(infer_shapes(graph, {&shape, 1})[down].h(), expected) << size;
  }
}

TEST(Shapes, LocationGridKeepsOneChannelAClass) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 18});
  const ValueId map = g.location_grid("map", image, {.grid = 3});
  EXPECT_EQ(g.channels(map), 2);
  try {
    g.location_grid("wrong", image, {.grid = 4});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("\"wrong\" (location_grid) 18 channels cannot be "
                                                 "split into 16 groups"));
  }
}

// One channel is a score of two labels; a kernel without weight has no factors.
TEST(Shapes, MeanFieldsLearnFactorsAndCosts) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId one = g.conv("one", image, {});
  const ValueId seven = g.conv("seven", image, {.channels = 7});
  EXPECT_EQ(g.channels(g.mean_field("a", one, image)), 1);
  EXPECT_EQ(g.channels(g.mean_field("b", seven, image, {.spatial_weight = 0})), 7);
  const auto& specs = g.graph().parameters;
  ASSERT_EQ(specs.size(), 9u);  // four of the convolutions
  EXPECT_EQ(specs[4].name, "a.spatial");
  EXPECT_EQ(specs[4].shape, Shape({2}));
  EXPECT_EQ(specs[5].name, "a.bilateral");
  EXPECT_EQ(specs[6].name, "a.compatibility");
  EXPECT_EQ(specs[6].shape, Shape({2, 2}));
  EXPECT_EQ(specs[7].name, "b.bilateral");
  EXPECT_EQ(specs[8].shape, Shape({7, 7}));
}

TEST(Shapes, AMeanFieldsPictureHasTheScoresSize) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 3});
  g.output("out", g.mean_field("crf", g.max_pool("pool", image), image));
  const Shape shape{1, 3, 10, 14};
  try {
    infer_shapes(std::move(g).build(), {&shape, 1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("\"crf\" (mean_field) refines scores 1x3x5x7 by a "
                                                 "picture 1x3x10x14; crop or resize one"));
  }
}

TEST(Shapes, MessagesNameTheNode) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 3});
  try {
    g.add("sum", image, g.conv("c", image, {.channels = 4}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("\"sum\" (add) joins values of 3 and 4 channels"));
  }
}

}  // namespace
}  // namespace segmentum
