#include "models/backbones/xception.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"

namespace segmentum {
namespace {

struct Xception {
  Graph graph;
  BackboneFeatures features;

  explicit Xception(const XceptionOptions& options) {
    GraphBuilder g("xception");
    features = xception_backbone(g, g.input("image", {}), options);
    g.output("features", features.back());
    graph = std::move(g).build();
  }
  std::vector<Shape> features_of(std::int64_t size) const {
    const Shape input{1, 3, size, size};
    const auto shapes = infer_shapes(graph, {&input, 1});
    std::vector<Shape> result;
    for (ValueId value : features) result.push_back(shapes[static_cast<std::size_t>(value)]);
    return result;
  }
  const op::Conv& conv(const std::string& name) const {
    return std::get<op::Conv>(std::ranges::find(graph.nodes, name, &Node::name)->op);
  }
};

/// A 3x3 for each channel and a 1x1, each with the two numbers of a batch norm.
std::int64_t separable(std::int64_t in, std::int64_t out) {
  return 9 * in + 2 * in + in * out + 2 * out;
}

TEST(Xception, ParametersByHand) {
  const auto shortcut = [](std::int64_t in, std::int64_t out) { return in * out + 2 * out; };
  const std::int64_t entry = 27 * 32 + 2 * 32 + 9 * 32 * 64 + 2 * 64 +        // two 3x3
                             separable(64, 128) + 2 * separable(128, 128) +   // block 1
                             shortcut(64, 128) + separable(128, 256) +        // block 2
                             2 * separable(256, 256) + shortcut(128, 256) +   //
                             separable(256, 728) + 2 * separable(728, 728) +  // block 3
                             shortcut(256, 728);
  const std::int64_t exit = separable(728, 728) + separable(728, 1024) + separable(1024, 1024) +
                            shortcut(728, 1024) + separable(1024, 1536) + separable(1536, 1536) +
                            separable(1536, 2048);
  const Xception net({});
  const Shape shape{1, 3, 65, 65};
  EXPECT_EQ(analyse(net.graph, {&shape, 1}).parameters,
            entry + 16 * 3 * separable(728, 728) + exit);
}

TEST(Xception, FeaturesAtEveryOutputStride) {
  EXPECT_THAT(Xception({}).features_of(65),
              testing::ElementsAre(Shape{1, 64, 33, 33}, Shape{1, 256, 17, 17}, Shape{1, 728, 9, 9},
                                   Shape{1, 1024, 5, 5}, Shape{1, 2048, 3, 3}));
  EXPECT_THAT(
      Xception({.common = {.output_stride = 8}, .width = 4, .middle_blocks = 1}).features_of(64),
      testing::ElementsAre(Shape{1, 8, 32, 32}, Shape{1, 32, 16, 16}, Shape{1, 88, 8, 8},
                           Shape{1, 128, 8, 8}, Shape{1, 256, 8, 8}));
  EXPECT_EQ(Xception({.width = 4}).features_of(1).back(), Shape({1, 256, 1, 1}));
}

TEST(Xception, RatesFollowTheStridesGivenUp) {
  const auto rate = [](int output_stride, const std::string& unit) {
    return Xception({.common = {.output_stride = output_stride}, .width = 2})
        .conv(unit + ".separable_conv3_depthwise")
        .dilation;
  };
  EXPECT_EQ(rate(32, "exit_flow.block2.unit_1"), Size2(1));
  EXPECT_EQ(rate(16, "middle_flow.block1.unit_16"), Size2(1));
  EXPECT_EQ(rate(16, "exit_flow.block1.unit_1"), Size2(1));
  EXPECT_EQ(rate(16, "exit_flow.block2.unit_1"), Size2(2));
  EXPECT_EQ(rate(8, "entry_flow.block3.unit_1"), Size2(1));
  EXPECT_EQ(rate(8, "middle_flow.block1.unit_1"), Size2(2));
  EXPECT_EQ(rate(8, "exit_flow.block2.unit_1"), Size2(4));
}

}  // namespace
}  // namespace segmentum
