#include "models/backbones/mobilenet_v2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"

namespace segmentum {
namespace {

struct Mobilenet {
  Graph graph;
  BackboneFeatures features;

  explicit Mobilenet(const MobilenetV2Options& options) {
    GraphBuilder g("mobilenet_v2");
    features = mobilenet_v2_backbone(g, g.input("image", {}), options);
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
  std::vector<int> dilations() const {
    std::vector<int> result;
    for (const Node& node : graph.nodes) {
      const auto* conv = std::get_if<op::Conv>(&node.op);
      if (conv && conv->groups > 1) result.push_back(conv->dilation.h);
    }
    return result;
  }
};

// torchvision's mobilenet_v2 has 3,504,872 parameters, 1280*1000 + 1000 of them its classifier's,
// and 300 M multiply-adds (Sandler et al., table 4).
TEST(MobilenetV2, AsPublished) {
  const Mobilenet net({.last_conv = true});
  const Shape shape{1, 3, 224, 224};
  const Analysis analysis = analyse(net.graph, {&shape, 1});
  EXPECT_EQ(analysis.parameters + 1280 * 1000 + 1000, 3'504'872);
  EXPECT_NEAR(static_cast<double>(analysis.multiply_adds) + 1280 * 1000, 300e6, 1e6);
  std::vector<std::string> names;
  for (const ParameterSpec& spec : net.graph.parameters) names.push_back(spec.name);
  for (const char* name :
       {"features.0.0.weight", "features.0.1.running_var", "features.1.conv.0.0.weight",
        "features.1.conv.1.weight", "features.1.conv.2.bias", "features.2.conv.1.1.weight",
        "features.17.conv.2.weight", "features.17.conv.3.running_mean", "features.18.0.weight"}) {
    EXPECT_THAT(names, testing::Contains(name));
  }
}

TEST(MobilenetV2, FeaturesAtEveryOutputStride) {
  EXPECT_THAT(Mobilenet({}).features_of(65),
              testing::ElementsAre(Shape{1, 16, 33, 33}, Shape{1, 24, 17, 17}, Shape{1, 32, 9, 9},
                                   Shape{1, 96, 5, 5}, Shape{1, 320, 3, 3}));
  const Mobilenet eight({.common = {.output_stride = 8}});
  EXPECT_THAT(eight.features_of(65),
              testing::ElementsAre(Shape{1, 16, 33, 33}, Shape{1, 24, 17, 17}, Shape{1, 32, 9, 9},
                                   Shape{1, 96, 9, 9}, Shape{1, 320, 9, 9}));
  // Blocks 7 (64 channels) and 14 (160) had the strides; they keep the dilation of before.
  EXPECT_THAT(eight.dilations(),
              testing::ElementsAre(1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4));
  EXPECT_EQ(Mobilenet({}).features_of(1).back(), Shape({1, 320, 1, 1}));
}

TEST(MobilenetV2, OtherWidths) {
  EXPECT_EQ(rounded_channels(24 * 0.5), 16);   // 12 is as near to 8: up
  EXPECT_EQ(rounded_channels(24 * 0.75), 24);  // 16 would be below 90 % of 18
  EXPECT_EQ(rounded_channels(1), 8);
  // 16 is the multiplier 0.5.
  const Mobilenet half({.width = 16});
  EXPECT_THAT(half.features_of(32),
              testing::ElementsAre(Shape{1, 8, 16, 16}, Shape{1, 16, 8, 8}, Shape{1, 16, 4, 4},
                                   Shape{1, 48, 2, 2}, Shape{1, 160, 1, 1}));
}

}  // namespace
}  // namespace segmentum
