#include "models/fcn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"

namespace segmentum {
namespace {

Analysis analysed(const Graph& graph, std::int64_t size) {
  const Shape shape{1, 3, size, size};
  return analyse(graph, {&shape, 1});
}

const NodeAnalysis& at(const Graph& graph, const Analysis& analysis, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  return analysis.nodes[static_cast<std::size_t>(found - graph.nodes.begin())];
}

// Long et al., CVPR 2015, table 1: 134 M parameters, receptive field 404, stride 32.
TEST(Fcn, Vgg16AsPublished) {
  const Graph graph = build_fcn({.classes = 21, .stride = 32});
  const Analysis analysis = analysed(graph, 500);
  // VGG-16's convolutions, fc6, fc7, score_fr; and the 64x64 upscore from 21 to 21 channels.
  const std::int64_t network =
      14'714'688 + (512 * 49 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 21 + 21);
  EXPECT_EQ(network / 1'000'000, 134);
  EXPECT_EQ(analysis.parameters, network + 21 * 21 * 64 * 64);
  const NodeAnalysis& scores = at(graph, analysis, "score_fr");
  EXPECT_EQ(scores.receptive_field, Size2(404));
  EXPECT_EQ(scores.output_stride->y, Ratio(32, 1));
  EXPECT_EQ(scores.shape, Shape({1, 21, 16, 16}));  // 500 padded to 512
  EXPECT_EQ(analysis.tile_multiple, Size2(32));
}

TEST(Fcn, ScoresAreFusedDownToTheStride) {
  const auto names_of = [](int stride) {
    std::vector<std::string> names;
    const Graph graph =
        build_fcn({.stride = stride, .backbone = {.channels = {1, 1, 1, 1, 1}}, .fc_channels = 2});
    const auto scores = std::ranges::find(graph.nodes, "score_fr", &Node::name);
    for (auto node = scores; node != graph.nodes.end(); ++node) names.push_back(node->name);
    return names;
  };
  EXPECT_THAT(names_of(32), testing::ElementsAre("score_fr", "upscore", "score"));
  EXPECT_THAT(names_of(16), testing::ElementsAre("score_fr", "upscore2", "score_pool4",
                                                 "fuse_pool4", "upscore16", "score"));
  EXPECT_THAT(names_of(8), testing::ElementsAre("score_fr", "upscore2", "score_pool4", "fuse_pool4",
                                                "upscore_pool4", "score_pool3", "fuse_pool3",
                                                "upscore8", "score"));
}

TEST(Fcn, FusedLevelsMeetAtEqualSizes) {
  const Graph graph =
      build_fcn({.stride = 8, .backbone = {.channels = {2, 2, 2, 2, 2}}, .fc_channels = 3});
  const Analysis analysis = analysed(graph, 33);  // padded to 64
  EXPECT_EQ(at(graph, analysis, "pool5").shape.h(), 2);
  EXPECT_EQ(at(graph, analysis, "fuse_pool4").shape.h(), 4);
  EXPECT_EQ(at(graph, analysis, "fuse_pool3").shape.h(), 8);
  EXPECT_EQ(at(graph, analysis, "upscore8").shape.h(), 64);
  EXPECT_EQ(at(graph, analysis, "score").shape, Shape({1, 2, 33, 33}));
}

TEST(Fcn, UpscoreStartsAsBilinearInterpolation) {
  const Graph graph = build_fcn({});
  const auto upscore = std::ranges::find(graph.nodes, "upscore8", &Node::name);
  const auto& up = std::get<op::TransposedConv>(upscore->op);
  EXPECT_EQ(up.init, Init::bilinear);
  EXPECT_EQ(up.kernel, Size2(16));
  EXPECT_EQ(up.padding, Padding(4));
  EXPECT_FALSE(up.bias);
}

}  // namespace
}  // namespace segmentum
