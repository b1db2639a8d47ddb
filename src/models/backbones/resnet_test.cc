#include "models/backbones/resnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

struct Built {
  Graph graph;
  BackboneFeatures features;
};

Built built(const ResnetOptions& options) {
  GraphBuilder g("test");
  BackboneFeatures features = resnet_backbone(g, g.input("image", {}), options);
  g.output("features", features.back());
  return {std::move(g).build(), features};
}

std::int64_t parameters(const Graph& graph) {
  std::int64_t sum = 0;
  for (const ParameterSpec& spec : graph.parameters) {
    if (is_trainable(spec.role)) sum += spec.shape.count();
  }
  return sum;
}

const op::Conv& conv(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  return std::get<op::Conv>(found->op);
}

/// The dilations of the 3x3 convolutions called SUFFIX, in order.
std::vector<int> dilations(const Graph& graph, const std::string& layer,
                           const std::string& suffix) {
  std::vector<int> found;
  for (const Node& node : graph.nodes) {
    if (node.name.starts_with(layer) && node.name.ends_with(suffix)) {
      const auto& o = std::get<op::Conv>(node.op);
      EXPECT_EQ(o.padding, Padding(o.dilation.h));
      found.push_back(o.dilation.h);
    }
  }
  return found;
}

// torchvision's classifiers have 11 689 512, 21 797 672, 25 557 032 and 44 549 160 parameters, of
// which 512 * 1000 + 1000 or 2048 * 1000 + 1000 are in the fully connected layer.
TEST(Resnet, PublishedParameters) {
  EXPECT_EQ(parameters(built({.layers = 18}).graph), 11'689'512 - 513'000);
  EXPECT_EQ(parameters(built({.layers = 34}).graph), 21'797'672 - 513'000);
  EXPECT_EQ(parameters(built({.layers = 50}).graph), 25'557'032 - 2'049'000);
  EXPECT_EQ(parameters(built({.layers = 101}).graph), 44'549'160 - 2'049'000);
}

TEST(Resnet, LevelsAtEveryOutputStride) {
  const auto sizes = [](int output_stride) {
    const Built net = built({.common = {.output_stride = output_stride}, .layers = 18, .width = 2});
    const Shape shape{1, 3, 65, 64};
    const auto shapes = infer_shapes(net.graph, {&shape, 1});
    std::vector<std::int64_t> rows;
    for (ValueId feature : net.features)
      rows.push_back(shapes[static_cast<std::size_t>(feature)].h());
    return rows;
  };
  EXPECT_THAT(sizes(32), ElementsAre(33, 17, 9, 5, 3));  // halves of 65, rounded up
  EXPECT_THAT(sizes(16), ElementsAre(33, 17, 9, 5, 5));
  EXPECT_THAT(sizes(8), ElementsAre(33, 17, 9, 9, 9));
}

TEST(Resnet, ChannelsOfTheLevels) {
  const auto channels = [](int layers, int width) {
    const Built net = built({.layers = layers, .width = width});
    std::vector<int> result;
    for (ValueId feature : net.features) result.push_back(net.graph.node(feature).channels);
    return result;
  };
  EXPECT_THAT(channels(34, 64), ElementsAre(64, 64, 128, 256, 512));
  EXPECT_THAT(channels(50, 64), ElementsAre(64, 256, 512, 1024, 2048));
  EXPECT_THAT(channels(50, 3), ElementsAre(3, 12, 24, 48, 96));
}

TEST(Resnet, FirstBlocksOfDilatedStagesByTheTwoRules) {
  const BackboneOptions torchvision{.prefix = "backbone.", .output_stride = 8};
  const Graph first = built({.common = torchvision, .width = 1}).graph;
  EXPECT_THAT(dilations(first, "backbone.layer2", "conv2"), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(dilations(first, "backbone.layer3", "conv2"), ElementsAre(1, 2, 2, 2, 2, 2));
  EXPECT_THAT(dilations(first, "backbone.layer4", "conv2"), ElementsAre(2, 4, 4));

  BackboneOptions smp{.prefix = "encoder.", .output_stride = 8};
  smp.dilation_rule = DilationRule::every_block;
  const Graph every = built({.common = smp, .width = 1}).graph;
  EXPECT_THAT(dilations(every, "encoder.layer3", "conv2"), ElementsAre(2, 2, 2, 2, 2, 2));
  EXPECT_THAT(dilations(every, "encoder.layer4", "conv2"), ElementsAre(4, 4, 4));
  smp.output_stride = 16;
  const Graph small = built({.common = smp, .layers = 18, .width = 1}).graph;
  EXPECT_EQ(conv(small, "encoder.layer3.0.conv1").stride, Size2(2));
  EXPECT_EQ(conv(small, "encoder.layer4.0.conv1").stride, Size2(1));
  EXPECT_EQ(conv(small, "encoder.layer4.0.downsample.0").stride, Size2(1));
  EXPECT_THAT(dilations(small, "encoder.layer4", "conv1"), ElementsAre(2, 2));
  EXPECT_THAT(dilations(small, "encoder.layer4", "conv2"), ElementsAre(2, 2));
}

// Chen et al., 2017: with output stride 16 and multi-grid (1, 2, 4) the last stage has rates 2,
// 4, 8.
TEST(Resnet, MultiGrid) {
  const Graph graph = built({.common = {.output_stride = 16,
                                        .dilation_rule = DilationRule::every_block,
                                        .multi_grid = {1, 2, 4}},
                             .width = 1})
                          .graph;
  EXPECT_THAT(dilations(graph, "layer4", "conv2"), ElementsAre(2, 4, 8));
  EXPECT_THAT(dilations(graph, "layer3", "conv2"), ElementsAre(1, 1, 1, 1, 1, 1));
}

TEST(Resnet, NamesAsInCheckpoints) {
  const Graph graph = built({.common = {.prefix = "encoder."}, .width = 1}).graph;
  std::vector<std::string> names;
  for (const ParameterSpec& spec : graph.parameters) names.push_back(spec.name);
  names.resize(21);
  EXPECT_THAT(
      names,
      ElementsAre("encoder.conv1.weight", "encoder.bn1.weight", "encoder.bn1.bias",
                  "encoder.bn1.running_mean", "encoder.bn1.running_var",
                  "encoder.layer1.0.conv1.weight", "encoder.layer1.0.bn1.weight",
                  "encoder.layer1.0.bn1.bias", "encoder.layer1.0.bn1.running_mean",
                  "encoder.layer1.0.bn1.running_var", "encoder.layer1.0.conv2.weight",
                  "encoder.layer1.0.bn2.weight", "encoder.layer1.0.bn2.bias",
                  "encoder.layer1.0.bn2.running_mean", "encoder.layer1.0.bn2.running_var",
                  "encoder.layer1.0.conv3.weight", "encoder.layer1.0.bn3.weight",
                  "encoder.layer1.0.bn3.bias", "encoder.layer1.0.bn3.running_mean",
                  "encoder.layer1.0.bn3.running_var", "encoder.layer1.0.downsample.0.weight"));
}

std::string error_of(const ResnetOptions& options) {
  try {
    built(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Resnet, OptionsThatDoNotExist) {
  EXPECT_EQ(error_of({.layers = 49}), "a ResNet of 49 layers; expected 18, 34, 50 or 101");
  EXPECT_EQ(error_of({.common = {.output_stride = 12}}),
            "a backbone of output stride 12; expected 8, 16 or 32");
}

}  // namespace
}  // namespace segmentum
