#include "graph/group_phases.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

const ConvolutionGrid kGroups{.pixels = 6, .largest_dilation = 1};

/// Two levels, with two convolutions at each and a skip.
Graph small_unet() {
  GraphBuilder g("small_unet");
  const auto conv = [&](const char* name, ValueId x) {
    return g.conv(name, x, {.channels = 16, .kernel = 3, .padding = 1});
  };
  const ValueId fine = conv("b", conv("a", g.input("image", {.channels = 3})));
  const ValueId coarse = conv("d", conv("c", g.max_pool("pool", fine, {})));
  const ValueId up = g.transposed_conv("up", coarse, {.channels = 16});
  g.output("logits", conv("f", conv("e", g.concat("join", {fine, up}))));
  return std::move(g).build();
}

/// Rows of the picture for rows 120 to 239 of 480.
Interval read(const Graph& graph, const ConvolutionGrid& grid) {
  const Shape picture{1, 3, 480, 480};
  const WantedRegion wanted{graph.output("logits"), {{120, 240}, {120, 240}}};
  const Region region =
      needed_regions(graph, infer_shapes(graph, {&picture, 1}), {&wanted, 1}, grid)[0];
  EXPECT_EQ(region.y, region.x);
  return region.y;
}

// Above row 120, by hand. The receptive field: four convolutions look 1 pixel around each, two at
// half size 2 pixels each. With groups of six from the first pixel on every one begins at the
// multiple of six before: f 120, e 114, d 54, c 48, b 90, a 84. With phases e, d and a begin at
// 119, 59 and 101.
TEST(GroupPhases, PartsReadLessAboveThem) {
  const Graph graph = small_unet();
  const Graph phased = with_group_phases(graph, kGroups);
  EXPECT_EQ(read(graph, {}), (Interval{112, 248}));
  EXPECT_EQ(read(graph, kGroups).begin, 83);
  EXPECT_EQ(read(phased, kGroups).begin, 100);
  EXPECT_LT(read(phased, kGroups).end, read(graph, kGroups).end);
}

// Groups of four would be more of them.
TEST(GroupPhases, OnlyWhereTheyCostNothing) {
  for (const int pixels : {1, 4}) {
    const Graph phased = with_group_phases(small_unet(), {pixels, 1});
    for (const Node& node : phased.nodes) {
      const auto* conv = std::get_if<op::Conv>(&node.op);
      if (conv != nullptr) EXPECT_EQ(conv->phase, Size2(0)) << node.name;
    }
  }
}

// No part of it is ever run.
TEST(GroupPhases, NoneWhereTheWholePictureIsSeen) {
  GraphBuilder g("global");
  const ValueId x = g.conv("conv", g.input("image", {}), {.channels = 16, .kernel = 3});
  g.output("logits", g.multiply("scaled", x, g.global_average_pool("mean", x)));
  const Graph phased = with_group_phases(std::move(g).build(), kGroups);
  EXPECT_EQ(std::get<op::Conv>(phased.node(x).op).phase, Size2(0));
}

}  // namespace
}  // namespace segmentum
