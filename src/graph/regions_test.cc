#include "graph/regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Rows = Interval;

/// Rows of the input (of `height` rows) that one operator needs for rows `out` of its result.
template <typename Apply>
Rows needed_rows(std::int64_t height, Rows out, const Apply& apply) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId result = apply(g, image);
  g.output("out", result);
  const Graph graph = std::move(g).build();
  const Shape shape{1, 1, height, height};
  const auto shapes = infer_shapes(graph, {&shape, 1});
  const WantedRegion wanted{result, {out, out}};
  const Region region = needed_regions(graph, shapes, {&wanted, 1})[image];
  EXPECT_EQ(region.y, region.x);
  return region.y;
}

TEST(Regions, Convolution) {
  const auto rows = [](Rows out, op::Conv conv) {
    return needed_rows(10, out, [&](auto& g, ValueId x) { return g.conv("c", x, conv); });
  };
  const op::Conv strided{.kernel = 3, .stride = 2, .padding = 1};
  EXPECT_EQ(rows({1, 3}, strided), Rows(1, 6));  // row 1 reads 1..3, row 2 reads 3..5
  EXPECT_EQ(rows({0, 1}, strided), Rows(0, 2));  // row -1 is padding
  EXPECT_EQ(rows({5, 6}, {.kernel = 3, .dilation = 2, .padding = 2}), Rows(3, 8));
}

// Row 12 comes with 13..15, with dilation 2 with 8..15; alone beyond the engine's dilations and
// with strides.
TEST(Regions, ConvolutionsThatComputeGroups) {
  const ConvolutionGrid grid{.pixels = 4, .largest_dilation = 2};
  const auto rows = [&](op::Conv conv) {
    GraphBuilder g("test");
    const ValueId x = g.input("image", {.channels = 1});
    const ValueId y = g.conv("c", x, conv);
    g.output("out", y);
    const Graph graph = std::move(g).build();
    const Shape shape{1, 1, 40, 40};
    const WantedRegion wanted{y, {{12, 13}, {12, 13}}};
    return needed_regions(graph, infer_shapes(graph, {&shape, 1}), {&wanted, 1}, grid)[x].y;
  };
  EXPECT_EQ(rows({.kernel = 3, .padding = 1}), Rows(11, 17));
  EXPECT_EQ(rows({.kernel = 3, .dilation = 2, .padding = 2}), Rows(6, 18));
  EXPECT_EQ(rows({.kernel = 3, .dilation = 3, .padding = 3}), Rows(9, 16));
  EXPECT_EQ(rows({.kernel = 3, .stride = 2, .padding = 1}), Rows(23, 26));
}

TEST(Regions, GroupsThatDependOnTheChannels) {
  const ConvolutionGrid grid{
      4, 2, [](std::int64_t in, std::int64_t out) { return in * out > 8 ? 5 : 6; }};
  GraphBuilder g("test");
  const ValueId x = g.input("image", {.channels = 2});
  const ValueId few = g.conv("few", x, {.channels = 4, .kernel = 3, .padding = 1});
  const ValueId many = g.conv("many", few, {.channels = 3, .kernel = 3, .padding = 1});
  const ValueId dilated = g.conv("dilated", many, {.kernel = 3, .dilation = 2, .padding = 2});
  const ValueId single = g.conv("single", dilated, {.kernel = 1});
  g.output("out", single);
  const Graph graph = std::move(g).build();
  EXPECT_EQ(grid.period(graph, few, 2), 6);  // 2 * 4 products
  EXPECT_EQ(grid.period(graph, many, 2), 5);
  EXPECT_EQ(grid.period(graph, dilated, 3), 8);
  EXPECT_EQ(grid.period(graph, single, 2), 1);
}

// `a` is read by an output that knows nothing of the mean, `b` by none; only the size of what does
// is used.
TEST(Regions, NeverCutIsWhatOnlyReadersOfTheWholePictureNeed) {
  GraphBuilder g("test");
  const ValueId x = g.input("image", {.channels = 1});
  const ValueId a = g.conv("a", x, {.kernel = 3, .padding = 1});
  const ValueId b = g.conv("b", a, {.kernel = 3, .padding = 1});
  const ValueId mean = g.global_average_pool("mean", b);
  const ValueId gated = g.multiply("gated", b, mean);
  const ValueId like = g.resize_like("like", a, gated, {});
  g.output("whole", gated);
  g.output("parts", like);
  const Graph graph = std::move(g).build();
  std::vector<bool> expected(graph.nodes.size(), false);
  for (const ValueId value : {b, mean, gated}) expected[static_cast<std::size_t>(value)] = true;
  EXPECT_EQ(never_cut(graph), expected);
  EXPECT_STREQ(whole_picture_reader(graph.node(mean).op), "global pooling");
  EXPECT_EQ(whole_picture_reader(graph.node(gated).op), nullptr);
}

// Kernel 4, stride 2, pad 1: input row i reaches the outputs 2i-1 .. 2i+2.
TEST(Regions, TransposedConvolution) {
  const auto rows = [](Rows out, op::TransposedConv up) {
    return needed_rows(10, out, [&](auto& g, ValueId x) { return g.transposed_conv("up", x, up); });
  };
  const op::TransposedConv bilinear{.kernel = 4, .stride = 2, .padding = 1};
  EXPECT_EQ(rows({0, 1}, bilinear), Rows(0, 1));
  EXPECT_EQ(rows({2, 3}, bilinear), Rows(0, 2));
  EXPECT_EQ(rows({3, 4}, bilinear), Rows(1, 3));
  EXPECT_EQ(rows({19, 20}, bilinear), Rows(9, 10));
  EXPECT_EQ(rows({5, 6}, {.kernel = 2, .stride = 2}), Rows(2, 3));
  EXPECT_TRUE(rows({1, 2}, {.kernel = 1, .stride = 2}).empty());  // a gap that no input fills
}

TEST(Regions, Resize) {
  const auto rows = [](Rows out, op::Resize resize) {
    return needed_rows(10, out, [&](auto& g, ValueId x) { return g.resize("r", x, resize); });
  };
  const op::Resize nearest{.mode = Interpolation::nearest, .scale = 2};
  EXPECT_EQ(rows({3, 5}, nearest), Rows(1, 3));
  const op::Resize bilinear{.mode = Interpolation::bilinear, .scale = 2};
  EXPECT_EQ(rows({3, 4}, bilinear), Rows(1, 3));     // at 1.25
  EXPECT_EQ(rows({4, 5}, bilinear), Rows(1, 3));     // at 1.75
  EXPECT_EQ(rows({19, 20}, bilinear), Rows(9, 10));  // held at the edge
  // Corner to corner 19 steps are 9: row 10 is taken at 4.74.
  EXPECT_EQ(rows({10, 11}, {.align_corners = true, .scale = 2}), Rows(4, 6));
}

// Rows -3..8 of a picture of five read 3 2 1 | 0 1 2 3 4 | 3 2 1.
TEST(Regions, MirroredPadding) {
  const auto rows = [](Rows out) {
    return needed_rows(5, out, [](auto& g, ValueId x) {
      return g.pad("p", x, {.mode = PadMode::mirror, .margin = 3});
    });
  };
  EXPECT_EQ(rows({0, 1}), Rows(3, 4));
  EXPECT_EQ(rows({0, 3}), Rows(1, 4));
  EXPECT_EQ(rows({0, 4}), Rows(0, 4));
  EXPECT_EQ(rows({4, 6}), Rows(1, 3));
  EXPECT_EQ(rows({7, 10}), Rows(2, 5));
  EXPECT_EQ(rows({0, 11}), Rows(0, 5));
}

// Rows -3..8 of a picture of five read 0 0 0 | 0 1 2 3 4 | 4 4 4.
TEST(Regions, PaddingByTheEdge) {
  const auto rows = [](Rows out) {
    return needed_rows(5, out, [](auto& g, ValueId x) {
      return g.pad("p", x, {.mode = PadMode::edge, .margin = 3});
    });
  };
  EXPECT_EQ(rows({0, 1}), Rows(0, 1));
  EXPECT_EQ(rows({1, 5}), Rows(0, 2));
  EXPECT_EQ(rows({7, 10}), Rows(4, 5));
  EXPECT_EQ(rows({10, 11}), Rows(4, 5));
}

// The sum over paths: rows 2..4 through the 3x3, row 5 through the crop at offset 2.
TEST(Regions, HullOverPathsAndSizesOnly) {
  const auto paths = [](GraphBuilder& g, ValueId x) {
    const ValueId conv = g.conv("c", x, {.kernel = 3, .padding = 0});
    return g.add("sum", conv, g.crop_like("crop", x, conv, {.offset = 3 - 1}));
  };
  EXPECT_EQ(needed_rows(10, {2, 3}, paths), Rows(2, 5));
  EXPECT_EQ(needed_rows(10, {2, 3},
                        [](GraphBuilder& g, ValueId x) {
                          const ValueId far = g.pad("far", x, {.margin = {0, 0, 8, 8}});
                          return g.crop_like("crop", far, x);  // x: for its size alone
                        }),
            Rows(2, 3));
}

TEST(Regions, LayerNormsNeedTheirPixelAlone) {
  EXPECT_EQ(
      needed_rows(10, {4, 5}, [](GraphBuilder& g, ValueId x) { return g.layer_norm("ln", x); }),
      Rows(4, 5));
}

TEST(Regions, GlobalOperatorsNeedEverything) {
  const Rows all{0, 10};
  EXPECT_EQ(needed_rows(10, {4, 5},
                        [](GraphBuilder& g, ValueId x) {
                          return g.multiply("gate", x, g.global_average_pool("mean", x));
                        }),
            all);
  EXPECT_EQ(
      needed_rows(10, {4, 5}, [](GraphBuilder& g, ValueId x) { return g.group_norm("gn", x, {}); }),
      all);
  EXPECT_EQ(
      needed_rows(10, {4, 5}, [](GraphBuilder& g, ValueId x) { return g.mean_field("crf", x, x); }),
      all);
}

TEST(Regions, WantedMustLieInside) {
  try {
    needed_rows(10, {9, 11}, [](GraphBuilder& g, ValueId x) { return g.relu("r", x); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("\"r\" lies outside its size 10x10"));
  }
}

}  // namespace
}  // namespace segmentum
