#include "models/backbones/mobilenet_v3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace segmentum {
namespace {

using testing::ElementsAre;

struct Built {
  Graph graph;
  MobileNetV3Features features;
};

Built built(const MobileNetV3Options& options) {
  GraphBuilder g("test");
  MobileNetV3Features features = mobilenet_v3_backbone(g, g.input("image", {}), options);
  g.output("features", features.levels.back());
  return {std::move(g).build(), features};
}

/// Stride and dilation of the depthwise convolution of each block that has either.
std::vector<std::string> strided_or_dilated(const Graph& graph) {
  std::vector<std::string> found;
  for (const Node& node : graph.nodes) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (!conv || conv->groups == 1) continue;
    if (conv->stride == Size2(1) && conv->dilation == Size2(1)) continue;
    EXPECT_EQ(conv->padding, Padding(conv->kernel.h / 2 * conv->dilation.h));
    found.push_back(node.name.substr(0, node.name.find('.')) + ": stride " +
                    std::to_string(conv->stride.h) + " dilation " +
                    std::to_string(conv->dilation.h));
  }
  return found;
}

// torchvision's classifier has 5 483 032 parameters, of which 960 * 1280 + 1280 and
// 1280 * 1000 + 1000 are in its fully connected layers.
TEST(MobileNetV3, PublishedParameters) {
  std::int64_t sum = 0;
  for (const ParameterSpec& spec : built({}).graph.parameters) {
    if (is_trainable(spec.role)) sum += spec.shape.count();
  }
  EXPECT_EQ(sum, 5'483'032 - (960 * 1280 + 1280) - (1280 * 1000 + 1000));
}

TEST(MobileNetV3, StridesAndDilations) {
  const auto at = [](int output_stride, DilationRule rule) {
    return strided_or_dilated(
        built({.common = {.output_stride = output_stride, .dilation_rule = rule}}).graph);
  };
  EXPECT_THAT(at(32, DilationRule::every_block),
              ElementsAre("2: stride 2 dilation 1", "4: stride 2 dilation 1",
                          "7: stride 2 dilation 1", "13: stride 2 dilation 1"));
  EXPECT_THAT(
      at(16, DilationRule::every_block),  // torchvision's `dilated=True`
      ElementsAre("2: stride 2 dilation 1", "4: stride 2 dilation 1", "7: stride 2 dilation 1",
                  "13: stride 1 dilation 2", "14: stride 1 dilation 2", "15: stride 1 dilation 2"));
  EXPECT_THAT(
      at(16, DilationRule::keep_first),
      ElementsAre("2: stride 2 dilation 1", "4: stride 2 dilation 1", "7: stride 2 dilation 1",
                  "14: stride 1 dilation 2", "15: stride 1 dilation 2"));
  EXPECT_THAT(
      at(8, DilationRule::every_block),
      ElementsAre("2: stride 2 dilation 1", "4: stride 2 dilation 1", "7: stride 1 dilation 2",
                  "8: stride 1 dilation 2", "9: stride 1 dilation 2", "10: stride 1 dilation 2",
                  "11: stride 1 dilation 2", "12: stride 1 dilation 2", "13: stride 1 dilation 4",
                  "14: stride 1 dilation 4", "15: stride 1 dilation 4"));
}

TEST(MobileNetV3, LevelsAndTheLowFeature) {
  const Built net = built({});
  const Shape shape{1, 3, 65, 64};
  const auto shapes = infer_shapes(net.graph, {&shape, 1});
  const auto shape_of = [&](ValueId id) { return shapes[static_cast<std::size_t>(id)]; };
  const auto& levels = net.features.levels;
  ASSERT_EQ(levels.size(), 5u);
  EXPECT_EQ(shape_of(levels[0]), Shape({1, 16, 33, 32}));
  EXPECT_EQ(shape_of(levels[1]), Shape({1, 24, 17, 16}));
  EXPECT_EQ(shape_of(levels[2]), Shape({1, 40, 9, 8}));
  EXPECT_EQ(shape_of(levels[3]), Shape({1, 112, 5, 4}));
  EXPECT_EQ(shape_of(levels[4]), Shape({1, 960, 3, 2}));
  EXPECT_EQ(shape_of(net.features.first_at_8), Shape({1, 40, 9, 8}));
  EXPECT_LT(net.features.first_at_8, levels[2]);
}

// Block 4 squeezes 72 / 4 = 18 channels to 24: 16 would be less than nine tenths of them.
TEST(MobileNetV3, ChannelsAreRoundedToEights) {
  const auto channels_of = [](const Graph& graph, const std::string& name) {
    const auto found = std::ranges::find(graph.nodes, name, &Node::name);
    EXPECT_NE(found, graph.nodes.end()) << name;
    return found->channels;
  };
  const Graph full = built({}).graph;
  EXPECT_EQ(channels_of(full, "4.block.2.fc1"), 24);
  EXPECT_EQ(channels_of(full, "11.block.2.fc1"), 120);
  const Graph half = built({.width = 8}).graph;
  EXPECT_EQ(channels_of(half, "0.0"), 8);
  EXPECT_EQ(channels_of(half, "3.block.0.0"), 40);  // 36 is as far from 32
  EXPECT_EQ(channels_of(half, "2.block.2.0"), 16);  // 12 likewise
  EXPECT_EQ(channels_of(half, "16.0"), 480);
}

TEST(MobileNetV3, BatchNormsAreItsOwn) {
  for (const Node& node : built({}).graph.nodes) {
    if (const auto* norm = std::get_if<op::BatchNorm>(&node.op)) {
      EXPECT_EQ(norm->epsilon, 1e-3f) << node.name;
      EXPECT_EQ(norm->momentum, 0.01f) << node.name;
    }
  }
}

}  // namespace
}  // namespace segmentum
