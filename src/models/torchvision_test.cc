#include "models/torchvision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

/// The weights and biases of all parameters that start with `prefix`, and their shapes.
std::vector<std::string> head(const Graph& graph, const std::string& prefix) {
  std::vector<std::string> lines;
  for (const ParameterSpec& spec : graph.parameters) {
    if (!spec.name.starts_with(prefix)) continue;
    if (spec.role != ParameterRole::weight && spec.role != ParameterRole::bias) continue;
    lines.push_back(spec.name.substr(prefix.size()) + " " + spec.shape.to_string());
  }
  return lines;
}

TEST(Torchvision, FcnHeads) {
  const Graph graph = build_torchvision_fcn({});
  EXPECT_EQ(graph.architecture, "fcn_resnet50");
  EXPECT_THAT(head(graph, "classifier."),
              ElementsAre("0.weight 512x2048x3x3", "4.weight 21x512x1x1", "4.bias 21"));
  EXPECT_THAT(head(graph, "aux_classifier."),
              ElementsAre("0.weight 256x1024x3x3", "4.weight 21x256x1x1", "4.bias 21"));
}

TEST(Torchvision, DeeplabHead) {
  const Graph graph = build_torchvision_deeplabv3({.auxiliary_head = false});
  EXPECT_THAT(head(graph, "classifier."),
              ElementsAre("0.convs.0.0.weight 256x2048x1x1", "0.convs.1.0.weight 256x2048x3x3",
                          "0.convs.2.0.weight 256x2048x3x3", "0.convs.3.0.weight 256x2048x3x3",
                          "0.convs.4.1.weight 256x2048x1x1", "0.project.0.weight 256x1280x1x1",
                          "1.weight 256x256x3x3", "4.weight 21x256x1x1", "4.bias 21"));
  EXPECT_EQ(graph.outputs.size(), 1u);
}

TEST(Torchvision, LrasppHead) {
  const TorchvisionOptions options{
      .backbone = TorchvisionBackbone::mobilenet_v3_large, .width = 16, .output_stride = 16};
  EXPECT_THAT(head(build_lraspp(options), "classifier."),
              ElementsAre("cbr.0.weight 128x960x1x1", "scale.1.weight 128x960x1x1",
                          "low_classifier.weight 21x40x1x1", "low_classifier.bias 21",
                          "high_classifier.weight 21x128x1x1", "high_classifier.bias 21"));
  try {
    build_lraspp({});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "LR-ASPP on resnet50; it is defined on mobilenet_v3_large");
  }
}

TEST(Torchvision, AuxiliaryHeadOfMobileNetReadsStrideEight) {
  const Graph graph = build_torchvision_deeplabv3(
      {.backbone = TorchvisionBackbone::mobilenet_v3_large, .width = 16, .output_stride = 16});
  EXPECT_THAT(head(graph, "aux_classifier."),
              ElementsAre("0.weight 10x40x3x3", "4.weight 21x10x1x1", "4.bias 21"));
  const auto strides = output_strides(graph);
  const auto found = std::ranges::find(graph.nodes, "aux_classifier.4", &Node::name);
  EXPECT_EQ(strides[static_cast<std::size_t>(found - graph.nodes.begin())]->y, Ratio(8, 1));
}

// A resize to the picture's size has a phase of its own at each size that 8 does not divide.
TEST(Torchvision, RunsOnWholePictures) {
  const Graph graph = build_torchvision_fcn({.width = 1});
  const Shape shape{1, 3, 64, 64};
  EXPECT_EQ(analyse(graph, {&shape, 1}).tile_halo, std::nullopt);
}

}  // namespace
}  // namespace segmentum
