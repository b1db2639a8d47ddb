#include "models/fcn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/alignment.h"
#include "graph/analysis.h"
#include "graph/checkerboard.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Analysis analysed(const Graph& graph, std::int64_t size) {
  const Shape shape{1, 3, size, size};
  return analyse(graph, {&shape, 1});
}

const Node& node_of(const Graph& graph, const std::string& name) {
  return *std::ranges::find(graph.nodes, name, &Node::name);
}

Graph built(const std::string& architecture, std::map<std::string, std::string> settings) {
  return build_model(architecture, {.classes = 21, .settings = std::move(settings)});
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

// VGG-16's convolutions, fc6, fc7.
constexpr std::int64_t kVgg16 =
    14'714'688 + (512 * 49 * 4096 + 4096) + (std::int64_t{4096} * 4096 + 4096);

// The paper's networks by one setting: each layer that learns, and the sizes of the authors' nets
// for a picture of 500 (whose poolings round 698, 349, 175, 88, 44, 22 up, as Caffe does).
TEST(Fcn, PublishedSetting) {
  const Graph fcn32 = built("fcn32s", {{"size", "published"}});
  const Analysis analysis32 = analysed(fcn32, 500);
  EXPECT_EQ(analysis32.parameters, kVgg16 + (4096 * 21 + 21));  // the last upscore is fixed
  EXPECT_EQ(at(fcn32, analysis32, "score_fr").receptive_field, Size2(404));
  EXPECT_EQ(at(fcn32, analysis32, "score_fr").shape.h(), 16);
  EXPECT_EQ(at(fcn32, analysis32, "upscore").shape.h(), 544);

  const Graph fcn16 = built("fcn16s", {{"size", "published"}});
  const Analysis analysis16 = analysed(fcn16, 500);
  // upscore2 is learnt: 21 x 21 kernels of 4x4; and score_pool4.
  EXPECT_EQ(analysis16.parameters, analysis32.parameters + 21 * 21 * 16 + (512 * 21 + 21));
  EXPECT_EQ(at(fcn16, analysis16, "fuse_pool4").shape.h(), 34);
  EXPECT_EQ(at(fcn16, analysis16, "upscore16").shape.h(), 560);

  const Graph fcn8 = built("fcn8s", {{"size", "published"}});
  const Analysis analysis8 = analysed(fcn8, 500);
  EXPECT_EQ(analysis8.parameters, analysis16.parameters + 21 * 21 * 16 + (256 * 21 + 21));
  EXPECT_EQ(at(fcn8, analysis8, "fuse_pool3").shape.h(), 70);
  EXPECT_EQ(at(fcn8, analysis8, "upscore8").shape.h(), 568);
  EXPECT_EQ(at(fcn8, analysis8, "score").shape, Shape({1, 21, 500, 500}));
}

TEST(Fcn, PublishedSettingGivesWay) {
  const Graph graph = built("fcn8s", {{"size", "published"}, {"width", "4"}, {"up", "fixed"}});
  EXPECT_EQ(node_of(graph, "conv1_1").channels, 4);
  EXPECT_EQ(node_of(graph, "fc6").channels, 4096);
  EXPECT_EQ(std::get<op::Pad>(node_of(graph, "pad").op).margin, Padding(99));
  EXPECT_FALSE(std::get<op::TransposedConv>(node_of(graph, "upscore2").op).learnt);
  const auto resolved = resolved_settings("fcn8s", {.settings = {{"size", "published"}}});
  EXPECT_EQ(resolved.at("width"), "64");
  EXPECT_EQ(resolved.at("score_start"), "zero");
}

// The numbers in voc-fcn32s, voc-fcn16s and voc-fcn8s.
TEST(Fcn, CropsAtTheAuthorsOffsets) {
  const auto offset = [](int stride, const char* crop) {
    const Graph graph = build_fcn({.stride = stride,
                                   .backbone = {.channels = {1, 1, 1, 1, 1}},
                                   .fc_channels = 2,
                                   .alignment = FcnAlignment::authors});
    return std::get<op::Crop>(node_of(graph, crop).op).offset;
  };
  EXPECT_EQ(offset(32, "score"), Size2(19));
  EXPECT_EQ(offset(16, "score_pool4c"), Size2(5));
  EXPECT_EQ(offset(16, "score"), Size2(27));
  EXPECT_EQ(offset(8, "score_pool4c"), Size2(5));
  EXPECT_EQ(offset(8, "score_pool3c"), Size2(9));
  EXPECT_EQ(offset(8, "score"), Size2(31));
}

const std::vector<std::string> kUps{"transpose", "last_fixed",    "fixed",       "bilinear",
                                    "nearest",   "bilinear_conv", "nearest_conv"};

// Whatever magnifies: what is added lies on one place, and so do the logits and the picture.
TEST(Fcn, EveryUpsamplingIsAligned) {
  for (const std::string& up : kUps) {
    for (const std::string alignment : {"centred", "authors"}) {
      const Graph graph = built(
          "fcn8s", {{"width", "1"}, {"fc_channels", "2"}, {"up", up}, {"alignment", alignment}});
      const auto places = placements(graph);
      const auto place = [&](ValueId value) { return *places[static_cast<std::size_t>(value)]; };
      EXPECT_EQ(place(graph.output("logits")).y.first, 0) << up << alignment;
      EXPECT_EQ(place(graph.output("logits")).y.step, 1) << up << alignment;
      for (const Node& node : graph.nodes) {
        if (!std::holds_alternative<op::Add>(node.op)) continue;
        EXPECT_EQ(place(node.inputs[0]).y.first, place(node.inputs[1]).y.first) << up << alignment;
        EXPECT_EQ(place(node.inputs[0]).y.step, place(node.inputs[1]).y.step) << up << alignment;
      }
      for (std::int64_t size = 1; size <= 100; ++size) {
        const Shape shape{1, 3, size, 101 - size};
        const auto shapes = infer_shapes(graph, {&shape, 1});
        EXPECT_EQ(shapes[static_cast<std::size_t>(graph.output("logits"))],
                  Shape({1, 21, size, 101 - size}));
      }
    }
  }
}

// Whatever magnifies begins by answering a constant with a constant.
TEST(Fcn, NoUpsamplingStartsAsACheckerboard) {
  for (const std::string& up : kUps) {
    const Graph graph = built("fcn8s", {{"width", "1"}, {"fc_channels", "2"}, {"up", up}});
    const ParameterStore start = initialise(graph, 1);
    const auto all = upsampling_phases(graph, &start);
    EXPECT_EQ(all.size(), 3u);
    for (const UpsamplingPhases& phases : all) {
      EXPECT_LT(phases.unevenness, 1e-6) << up << phases.node;
      EXPECT_NEAR(phases.response[0], 1, 1e-6) << up << phases.node;
    }
  }
}

TEST(Fcn, AlignedCornersHaveNoOffset) {
  EXPECT_NO_THROW(built("fcn8s", {{"up", "bilinear"}, {"align_corners", "true"}}));
  try {
    built("fcn8s", {{"up", "bilinear"}, {"align_corners", "true"}, {"alignment", "authors"}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("use alignment=centred, or align_corners=false"));
  }
}

std::vector<std::string> new_in(const Graph& finer, const Graph& coarser) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : finer.parameters) {
    const auto known = std::ranges::find(coarser.parameters, spec.name, &ParameterSpec::name);
    if (known == coarser.parameters.end()) {
      names.push_back(spec.name);
    } else {
      EXPECT_EQ(known->shape, spec.shape) << spec.name;
    }
  }
  return names;
}

// Staged training, 32s to 16s to 8s: everything but these comes from the network before.
TEST(Fcn, WhatAFinerNetworkAdds) {
  for (const std::string size : {"small", "published"}) {
    const auto graph = [&](const char* name) { return built(name, {{"size", size}}); };
    const Graph fcn32 = graph("fcn32s"), fcn16 = graph("fcn16s"), fcn8 = graph("fcn8s");
    EXPECT_THAT(new_in(fcn16, fcn32), testing::ElementsAre("upscore2.weight", "score_pool4.weight",
                                                           "score_pool4.bias", "upscore16.weight"));
    EXPECT_THAT(new_in(fcn8, fcn16),
                testing::ElementsAre("upscore_pool4.weight", "score_pool3.weight",
                                     "score_pool3.bias", "upscore8.weight"));
    for (const std::string name : {"score_pool4", "score_pool3", "upscore2", "upscore_pool4"}) {
      const auto spec = std::ranges::find(fcn8.parameters, name + ".weight", &ParameterSpec::name);
      EXPECT_EQ(spec->init, name.starts_with("score") ? Init::zeros : Init::bilinear) << name;
    }
  }
}

TEST(Fcn, UpscoreStartsAsBilinearInterpolation) {
  const Graph graph = build_fcn({});
  const auto& up = std::get<op::TransposedConv>(node_of(graph, "upscore8").op);
  EXPECT_EQ(up.init, Init::bilinear);
  EXPECT_EQ(up.kernel, Size2(16));
  EXPECT_EQ(up.padding, Padding(4));
  EXPECT_FALSE(up.bias);
}

}  // namespace
}  // namespace segmentum
