#include "models/smp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

/// Height and width of the named value.
std::pair<std::int64_t, std::int64_t> size(const Graph& graph, std::int64_t h, std::int64_t w,
                                           const std::string& name) {
  const Shape shape{1, 3, h, w};
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  const auto at = static_cast<std::size_t>(found - graph.nodes.begin());
  const Shape result = infer_shapes(graph, {&shape, 1})[at];
  return {result.h(), result.w()};
}

std::vector<std::string> convolutions(const Graph& graph, const std::string& prefix) {
  std::vector<std::string> lines;
  for (const ParameterSpec& spec : graph.parameters) {
    if (spec.role != ParameterRole::weight || !spec.name.starts_with(prefix)) continue;
    lines.push_back(spec.name.substr(prefix.size()) + " " + spec.shape.to_string());
  }
  return lines;
}

TEST(SmpUnet, DecoderAsInCheckpoints) {
  const Graph graph = build_smp_unet({});
  EXPECT_THAT(convolutions(graph, "decoder.blocks."),
              ElementsAre("0.conv1.0.weight 256x768x3x3", "0.conv2.0.weight 256x256x3x3",
                          "1.conv1.0.weight 128x384x3x3", "1.conv2.0.weight 128x128x3x3",
                          "2.conv1.0.weight 64x192x3x3", "2.conv2.0.weight 64x64x3x3",
                          "3.conv1.0.weight 32x128x3x3", "3.conv2.0.weight 32x32x3x3",
                          "4.conv1.0.weight 16x32x3x3", "4.conv2.0.weight 16x16x3x3"));
  EXPECT_THAT(convolutions(graph, "segmentation_head."), ElementsAre("0.weight 1x16x3x3"));
}

// 65 -> 33 -> 17 -> 9 -> 5 -> 3, and back: 6 is cut to 5, 10 to 9, ... 66 to 65.
TEST(SmpUnet, OddSizesAreCutToTheSkip) {
  const Graph graph = build_smp_unet({.width = 2});
  EXPECT_EQ(size(graph, 65, 64, "encoder.layer4.2.relu"), std::pair(3l, 2l));
  EXPECT_EQ(size(graph, 65, 64, "decoder.blocks.0.resize"), std::pair(6l, 4l));
  EXPECT_EQ(size(graph, 65, 64, "decoder.blocks.0.crop"), std::pair(5l, 4l));
  EXPECT_EQ(size(graph, 65, 64, "decoder.blocks.4.resize"), std::pair(66l, 64l));
  EXPECT_EQ(size(graph, 65, 64, "segmentation_head.0"), std::pair(65l, 64l));
}

TEST(SmpUnet, CanBeTiled) {
  const Graph graph = build_smp_unet({.width = 1});
  const Shape shape{1, 3, 64, 64};
  const Analysis analysis = analyse(graph, {&shape, 1});
  EXPECT_EQ(analysis.tile_multiple, Size2(32));
  EXPECT_TRUE(analysis.tile_halo);
}

TEST(SmpDeeplabV3Plus, DecoderAsInCheckpoints) {
  const Graph graph = build_smp_deeplabv3plus({.classes = 7});
  EXPECT_THAT(
      convolutions(graph, "decoder."),
      ElementsAre("aspp.0.convs.0.0.weight 256x512x1x1", "aspp.0.convs.1.0.0.weight 512x1x3x3",
                  "aspp.0.convs.1.0.1.weight 256x512x1x1", "aspp.0.convs.2.0.0.weight 512x1x3x3",
                  "aspp.0.convs.2.0.1.weight 256x512x1x1", "aspp.0.convs.3.0.0.weight 512x1x3x3",
                  "aspp.0.convs.3.0.1.weight 256x512x1x1", "aspp.0.convs.4.1.weight 256x512x1x1",
                  "aspp.0.project.0.weight 256x1280x1x1", "aspp.1.0.weight 256x1x3x3",
                  "aspp.1.1.weight 256x256x1x1", "block1.0.weight 48x64x1x1",
                  "block2.0.0.weight 304x1x3x3", "block2.0.1.weight 256x304x1x1"));
  EXPECT_THAT(convolutions(graph, "segmentation_head."), ElementsAre("0.weight 7x256x1x1"));
}

TEST(SmpDeeplabV3, DecoderAsInCheckpoints) {
  const Graph graph = build_smp_deeplabv3({.output_stride = 8});
  const auto names = convolutions(graph, "decoder.");
  EXPECT_EQ(names.front(), "aspp.convs.0.0.weight 256x512x1x1");
  EXPECT_EQ(names[names.size() - 2], "aspp.project.0.weight 256x1280x1x1");
  EXPECT_EQ(names.back(), "conv.weight 256x256x3x3");
}

// Pictures of a size that smp rejects are mirrored up to the next multiple, and the logits cropped.
TEST(SmpDeeplabV3Plus, PadsToTheOutputStride) {
  for (int stride : {8, 16}) {
    const Graph graph = build_smp_deeplabv3plus({.width = 2, .output_stride = stride});
    const std::int64_t rows = 5 * stride;
    EXPECT_EQ(size(graph, rows - 3, 1, "pad"), std::pair(rows, std::int64_t{stride}));
    EXPECT_EQ(size(graph, rows - 3, 1, "decoder.up"),
              std::pair(rows / 4, std::int64_t{stride / 4}));
    EXPECT_EQ(size(graph, rows - 3, 1, "crop"), std::pair(rows - 3, std::int64_t{1}));
  }
}

TEST(SmpDeeplabV3Plus, MagnifiesWithAlignedCorners) {
  const Graph graph = build_smp_deeplabv3plus({.width = 1});
  for (const char* name : {"decoder.up", "segmentation_head.1"}) {
    const auto found = std::ranges::find(graph.nodes, name, &Node::name);
    ASSERT_NE(found, graph.nodes.end());
    EXPECT_TRUE(std::get<op::Resize>(found->op).align_corners);
    EXPECT_EQ(std::get<op::Resize>(found->op).scale, 4);
  }
}

TEST(SmpDeeplabV3Plus, OutputStrideThirtyTwoDoesNotExist) {
  try {
    build_smp_deeplabv3plus({.output_stride = 32});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "smp_deeplabv3plus of output stride 32; expected 8 or 16");
  }
}

}  // namespace
}  // namespace segmentum
