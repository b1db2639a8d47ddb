#include "models/hypercolumn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

const NodeAnalysis& at(const Graph& graph, const Analysis& analysis, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  return analysis.nodes[static_cast<std::size_t>(found - graph.nodes.begin())];
}

Analysis analysed(const Graph& graph, std::int64_t h, std::int64_t w) {
  const Shape shape{1, 3, h, w};
  return analyse(graph, {&shape, 1});
}

// VGG of width 2: layers of 8 + 16 + 16 channels; for 7 classes one classifier of 40 * 7 weights
// and 7 biases.
TEST(Hypercolumn, BothFusionsHaveTheSameParameters) {
  HypercolumnOptions options{.classes = 7, .width = 2, .layers = {2, 3, 5}};
  const Graph sum = build_hypercolumn(options);
  options.fusion = HypercolumnFusion::concat;
  const Graph concat = build_hypercolumn(options);
  const Analysis of_sum = analysed(sum, 64, 96), of_concat = analysed(concat, 64, 96);
  EXPECT_EQ(of_sum.parameters, of_concat.parameters);
  EXPECT_EQ(at(concat, of_concat, "score").parameters, 40 * 7 + 7);
  EXPECT_EQ(at(sum, of_sum, "score_level2").parameters, 8 * 7 + 7);
  EXPECT_EQ(at(sum, of_sum, "score_level3").parameters, 16 * 7);
  EXPECT_EQ(at(sum, of_sum, "score_level5").parameters, 16 * 7);
  // One multiply-add for each weight and pixel: of the finest layer, or of each layer's own.
  EXPECT_EQ(at(concat, of_concat, "score").multiply_adds, 40 * 7 * 16 * 24);
  EXPECT_EQ(at(sum, of_sum, "score_level2").multiply_adds, 8 * 7 * 16 * 24);
  EXPECT_EQ(at(sum, of_sum, "score_level3").multiply_adds, 16 * 7 * 8 * 12);
  EXPECT_EQ(at(sum, of_sum, "score_level5").multiply_adds, 16 * 7 * 2 * 3);
}

TEST(Hypercolumn, LayersMeetAtTheFinestAndLogitsAtThePicture) {
  const Graph graph = build_hypercolumn({.classes = 4, .width = 2, .hidden = 9});
  const Analysis analysis = analysed(graph, 33, 70);  // padded to 64x96
  EXPECT_EQ(at(graph, analysis, "up_level5").shape, Shape({1, 9, 16, 24}));
  EXPECT_EQ(at(graph, analysis, "fuse_level5").shape, Shape({1, 9, 16, 24}));
  EXPECT_EQ(at(graph, analysis, "score").shape, Shape({1, 4, 16, 24}));
  EXPECT_EQ(at(graph, analysis, "upscore").shape, Shape({1, 4, 64, 96}));
  EXPECT_EQ(at(graph, analysis, "logits").shape, Shape({1, 4, 33, 70}));
}

// The paper's sizes: a heatmap of 50x50 and a grid of 10x10 classifiers for each of three classes.
TEST(HypercolumnBoxes, AHeatmapOf50WithClassifiersByLocation) {
  const Graph graph = build_hypercolumn_boxes({.classes = 3, .width = 2}, 10);
  const Analysis analysis = analysed(graph, 200, 200);  // padded to 224
  EXPECT_EQ(at(graph, analysis, "score_level2").shape, Shape({1, 300, 56, 56}));
  EXPECT_EQ(at(graph, analysis, "score_level5").shape, Shape({1, 300, 7, 7}));
  EXPECT_EQ(at(graph, analysis, "heatmap_crop").shape, Shape({1, 300, 50, 50}));
  EXPECT_EQ(at(graph, analysis, "heatmap").shape, Shape({1, 3, 50, 50}));
  EXPECT_EQ(at(graph, analysis, "logits").shape, Shape({1, 3, 200, 200}));
  EXPECT_FALSE(analysis.tile_halo);  // what a pixel gets depends on where it lies
}

TEST(Hypercolumn, WhatNoLayerNeedsIsLeftOut) {
  const auto has_block5 = [](const std::vector<int>& layers) {
    const Graph graph = build_hypercolumn({.width = 2, .layers = layers});
    return std::ranges::any_of(graph.parameters, [](const ParameterSpec& spec) {
      return spec.name.starts_with("backbone.features.34");  // conv5_1 of VGG-16 with batch norm
    });
  };
  EXPECT_TRUE(has_block5({2, 4}));  // its last ReLU is level 4
  EXPECT_FALSE(has_block5({2, 3}));
}

TEST(Hypercolumn, StandsOnAnyBackbone) {
  const Graph graph =
      build_hypercolumn({.backbone = Backbone::resnet50, .width = 2, .layers = {2, 5}});
  const Analysis analysis = analysed(graph, 64, 64);
  EXPECT_EQ(at(graph, analysis, "score_level2").parameters, 8 * 2 + 2);
  EXPECT_EQ(at(graph, analysis, "score_level5").parameters, 64 * 2);
}

// Three layers magnified to the finest, then the scores of 4 classes by 4: kernels of 4, 8, 16 and
// 8 on a side for each class.
TEST(Hypercolumn, UpsamplingIsAChoice) {
  const auto count = [](const UpsampleOptions& up) {
    return analysed(build_hypercolumn({.classes = 4, .width = 2, .up = up}), 64, 64).parameters;
  };
  const auto resized = count({.how = Upsampling::bilinear});
  EXPECT_EQ(count({.how = Upsampling::transpose, .each_channel = true}),
            resized + 4 * (4 * 4 + 8 * 8 + 16 * 16 + 8 * 8));
  EXPECT_EQ(count({.how = Upsampling::nearest}), resized);
  EXPECT_EQ(count({.how = Upsampling::nearest, .conv = true}), resized + 4 * 4 * (4 * 9 + 1));
  const Graph aligned =
      build_model("hypercolumn", {.settings = {{"width", "2"}, {"align_corners", "true"}}});
  EXPECT_FALSE(analysed(aligned, 64, 64).tile_halo);  // phases depend on the picture's size
}

TEST(Hypercolumn, BadSettingsAreTold) {
  const auto error_of = [](const char* model, const char* name, const char* value) {
    try {
      build_model(model, {.settings = {{name, value}}});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const char* const dense = "hypercolumn";
  for (const char* bad : {"", "3,2", "2,2", "0,1", "5,6", "2;3", "level2", "2,", "2,,3"}) {
    EXPECT_EQ(error_of(dense, "layers", bad),
              "model hypercolumn has layers = \"" + std::string(bad) +
                  "\"; expected a rising list of levels from 1 to 5, such as 2,3,5");
  }
  EXPECT_THAT(error_of(dense, "fusion", "max"), HasSubstr("expected sum, concat"));
  EXPECT_THAT(error_of(dense, "grid", "5"), HasSubstr("has no setting \"grid\""));
  EXPECT_THAT(error_of("hypercolumn_boxes", "side", "31"), HasSubstr("from 32 to 2048"));
  EXPECT_THAT(error_of("hypercolumn_boxes", "expand", "0.9"), HasSubstr("from 1 to 4"));
  EXPECT_EQ(box_crop("hypercolumn", {}), std::nullopt);
  EXPECT_EQ(box_crop("hypercolumn_boxes", {.settings = {{"side", "64"}}}),
            (BoxCrop{.side_px = 64, .expand = 1.2f}));
}

}  // namespace
}  // namespace segmentum
