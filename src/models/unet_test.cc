#include "models/unet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "graph/describe.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::size_t index_of(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  return static_cast<std::size_t>(found - graph.nodes.begin());
}

/// Rows of the named value for a square picture.
std::int64_t rows(const Graph& graph, std::int64_t size, const std::string& name) {
  const Shape shape{1, graph.node(graph.inputs[0]).channels, size, size};
  return infer_shapes(graph, {&shape, 1})[index_of(graph, name)].h();
}

const UnetOptions kPublished{
    .input_channels = 1, .classes = 2, .width = 64, .norm = Norm::none, .valid_padding = true};

// Encoder   37 568 + 221 440 + 885 248 + 3 539 968 + 14 157 824
//           (first level: 9 (1*64 + 64*64) + 2*64)
// up        2 097 664 + 524 544 + 131 200 + 32 832   (first: 4*1024*512 + 512)
// decoder   7 078 912 + 1 769 984 + 442 624 + 110 720 (first: 9 (1024*512 + 512*512) + 2*512)
// head      130
TEST(Unet, PublishedParameters) {
  const Graph graph = build_unet(kPublished);
  const Shape shape{1, 1, 388, 388};
  EXPECT_EQ(analyse(graph, {&shape, 1}).parameters, 31'030'658);
}

// Figure 1 of the paper: every number that stands beside a box.
TEST(Unet, PublishedSizes) {
  const Graph graph = build_unet(kPublished);
  const std::vector<std::pair<const char*, int>> figure{{"pad", 572},
                                                        {"encoder.0.relu1", 570},
                                                        {"encoder.0.relu2", 568},
                                                        {"encoder.1.pool", 284},
                                                        {"encoder.1.relu2", 280},
                                                        {"encoder.2.pool", 140},
                                                        {"encoder.2.relu2", 136},
                                                        {"encoder.3.pool", 68},
                                                        {"encoder.3.relu2", 64},
                                                        {"encoder.4.pool", 32},
                                                        {"encoder.4.relu2", 28},
                                                        {"decoder.3.crop", 56},
                                                        {"decoder.3.relu2", 52},
                                                        {"decoder.2.crop", 104},
                                                        {"decoder.2.relu2", 100},
                                                        {"decoder.1.concat", 200},
                                                        {"decoder.1.relu2", 196},
                                                        {"decoder.0.concat", 392},
                                                        {"head", 388},
                                                        {"crop", 388}};
  for (const auto& [name, size] : figure) EXPECT_EQ(rows(graph, 388, name), size) << name;
}

// Nothing is lost and nothing spare: the frame is just what the convolutions use up.
TEST(Unet, TheFrameFitsEveryDepthAndUpsampling) {
  for (int depth = 1; depth <= 6; ++depth) {
    for (Upsampling up : {Upsampling::transpose, Upsampling::bilinear, Upsampling::fixed}) {
      const UnetOptions options{.width = 2, .depth = depth, .up = up, .valid_padding = true};
      const Graph graph = build_unet(options);
      const op::Pad pad = overlap_padding(options);
      for (std::int64_t size = 1; size < 70; ++size) {
        const std::int64_t head = rows(graph, size, "head");
        EXPECT_GE(head, size);
        EXPECT_LT(head, size + (1 << depth));
        EXPECT_EQ(rows(graph, size, "pad") - head, 2 * pad.margin.top);
        for (int level = 1; level <= depth; ++level) {  // every pooling meets an even size
          const std::string above = "encoder." + std::to_string(level - 1) + ".relu2";
          EXPECT_EQ(rows(graph, size, above) % 2, 0);
        }
      }
    }
  }
  EXPECT_EQ(overlap_padding(kPublished).margin, Padding(92));
  EXPECT_EQ(overlap_padding(kPublished).remainder, 12);
}

// 140 of the paper's 572 pixels: 5, pooled 6, 14, 16, 32, 36, 68, 76, then 76 + 4*16.
TEST(Unet, LowestLevelSees140Pixels) {
  const Graph graph = build_unet({.width = 2});
  const Shape shape{1, 3, 64, 64};
  const Analysis analysis = analyse(graph, {&shape, 1});
  EXPECT_EQ(analysis.nodes[index_of(graph, "encoder.4.relu2")].receptive_field, Size2(140));
  EXPECT_EQ(analysis.tile_multiple, Size2(16));
}

// The notes' warning: 7 -> 3 -> 6. Here 7 is mirrored to 8, goes 4 -> 8 and is cropped to 7 again.
TEST(Unet, SevenPixelsStaySeven) {
  const Graph graph = build_unet({.width = 2, .depth = 1});
  EXPECT_EQ(rows(graph, 7, "pad"), 8);
  EXPECT_EQ(rows(graph, 7, "encoder.1.pool"), 4);
  EXPECT_EQ(rows(graph, 7, "decoder.0.up"), 8);
  EXPECT_EQ(rows(graph, 7, "crop"), 7);
}

// The lowest level stands for the frame without 2 * 31 pixels: the picture begins 92 - 62 in.
TEST(Unet, AuxiliaryHeadLooksAtTheSamePlace) {
  UnetOptions options = kPublished;
  options.auxiliary_head = true;
  const Graph graph = build_unet(options);
  const Node& crop = graph.nodes[index_of(graph, "aux.crop")];
  EXPECT_EQ(std::get<op::Crop>(crop.op).offset, Size2(30));
  EXPECT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(graph.output("aux"), static_cast<ValueId>(index_of(graph, "aux.crop")));
  options.valid_padding = false;
  const Graph same = build_unet(options);
  EXPECT_EQ(std::get<op::Crop>(same.nodes[index_of(same, "aux.crop")].op).offset, Size2(0));
}

TEST(Unet, ThePublishedFormIsASetOfDefaults) {
  const Graph graph = build_model("unet_published", {.input_channels = 1, .classes = 2});
  const Shape shape{1, 1, 388, 388};
  EXPECT_EQ(analyse(graph, {&shape, 1}).parameters, 31'030'658);
  EXPECT_EQ(rows(graph, 388, "pad"), 572);
  EXPECT_EQ(rows(graph, 388, "head"), 388);
  EXPECT_EQ(rows(graph, 388, "encoder.4.dropout"), 28);
  EXPECT_EQ(graph.architecture, "unet");  // a model file of it is one of unet
  EXPECT_EQ(resolved_settings("unet_published", {}).at("width"), "64");
}

// 64 pixels: blocks of 4 give 16, then 4; the way back is 16, then 64, beside the picture.
TEST(Unet, PatchesDivideAndMultiplyByFour) {
  const Graph graph = build_unet({.width = 2, .depth = 2, .block = UnetBlock::patch});
  const std::vector<std::pair<const char*, int>> sizes{
      {"encoder.1.conv1", 32}, {"encoder.1.leaky2", 16}, {"encoder.2.conv1", 8},
      {"encoder.2.leaky2", 4}, {"decoder.1.up1", 8},     {"decoder.1.concat", 16},
      {"decoder.0.up1", 32},   {"decoder.0.concat", 64}, {"head", 64}};
  for (const auto& [name, size] : sizes) EXPECT_EQ(rows(graph, 64, name), size) << name;
  EXPECT_EQ(rows(graph, 65, "pad"), 80);
  EXPECT_EQ(rows(graph, 65, "crop"), 65);
  const auto channels = [&](const char* name) {
    return graph.nodes[index_of(graph, name)].channels;
  };
  EXPECT_EQ(channels("encoder.1.conv1"), 4);
  EXPECT_EQ(channels("encoder.2.conv2"), 8);
  EXPECT_EQ(channels("decoder.1.concat"), 4 + 4);
  EXPECT_EQ(channels("decoder.0.concat"), 3 + 2);
  const Activation& leaky =
      std::get<op::Activate>(graph.nodes[index_of(graph, "decoder.0.leaky1")].op).activation;
  EXPECT_EQ(leaky, Activation(ActivationKind::leaky_relu, 0.1f));
  for (const Node& node : graph.nodes) EXPECT_FALSE(std::holds_alternative<op::MaxPool>(node.op));
}

// Down 4 (3*2 + 2*2) and up 4 (2*1 + 1*1) of one tap each, biases 4 and 2, head 2 (3 + 1) + 2.
TEST(Unet, PatchParametersByHand) {
  const Graph graph =
      build_unet({.width = 1, .depth = 1, .block = UnetBlock::patch, .norm = Norm::none});
  const Shape shape{1, 3, 16, 16};
  EXPECT_EQ(analyse(graph, {&shape, 1}).parameters, 4 * 10 + 4 + 4 * 3 + 2 + 2 * 4 + 2);
}

TEST(Unet, PatchesTakeAnySize) {
  for (const char* aux : {"false", "true"}) {
    const Graph graph = build_model(
        "unet", {.classes = 5,
                 .settings = {{"block", "patch"}, {"width", "2"}, {"depth", "2"}, {"aux", aux}}});
    for (std::int64_t h = 1; h <= 40; ++h) {
      const Shape shape{1, 3, h, 41 - h};
      const auto shapes = infer_shapes(graph, {&shape, 1});
      for (const Output& output : graph.outputs) {
        EXPECT_EQ(shapes[static_cast<std::size_t>(output.value)], Shape({1, 5, h, 41 - h}));
      }
    }
  }
}

TEST(Unet, PatchesSayWhatTheyCannotDo) {
  const auto says = [](UnetOptions options, const char* text) {
    options.block = UnetBlock::patch;
    EXPECT_THAT([&] { build_unet(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr(text)));
  };
  says({.valid_padding = true}, "works with up = transpose and padding = same");
  says({.up = Upsampling::nearest}, "works with up = transpose and padding = same");
  says({.depth = 6}, "depth = 6; expected 1 to 5");
}

TEST(Unet, NamesAsInCheckpoints) {
  const Graph graph = build_unet({.width = 2, .depth = 1, .dropout = 0.5f});
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre(
                         "image", "pad", "encoder.0.conv1", "encoder.0.bn1", "encoder.0.relu1",
                         "encoder.0.conv2", "encoder.0.bn2", "encoder.0.relu2", "encoder.1.pool",
                         "encoder.1.conv1", "encoder.1.bn1", "encoder.1.relu1", "encoder.1.conv2",
                         "encoder.1.bn2", "encoder.1.relu2", "encoder.1.dropout", "decoder.0.up",
                         "decoder.0.concat", "decoder.0.conv1", "decoder.0.bn1", "decoder.0.relu1",
                         "decoder.0.conv2", "decoder.0.bn2", "decoder.0.relu2", "head", "crop"));
  EXPECT_EQ(graph.parameters[0].name, "encoder.0.conv1.weight");
  EXPECT_EQ(graph.parameters[1].name, "encoder.0.bn1.weight");  // no bias before a norm
}

// Each way doubles sizes and halves channels; the fixed one learns nothing but its convolution.
TEST(Unet, UpsamplingByName) {
  const auto decoder = [](const std::string& up) {
    const Graph graph =
        build_model("unet", {.settings = {{"width", "2"}, {"depth", "1"}, {"up", up}}});
    std::string text;
    for (std::size_t i = index_of(graph, "encoder.1.relu2") + 1;
         i <= index_of(graph, "decoder.0.up"); ++i) {
      text += (text.empty() ? "" : "; ") + operator_text(graph.nodes[i].op);
    }
    return text;
  };
  EXPECT_EQ(decoder("transpose"), "transposed_conv 2, 2x2, stride 2");
  EXPECT_EQ(decoder("transpose4"),
            "transposed_conv 4, 4x4, stride 2, pad 1, groups 4, no bias; conv 2, 3x3, pad 1");
  EXPECT_EQ(decoder("fixed"),
            "transposed_conv 4, 4x4, stride 2, pad 1, groups 4, no bias, not learnt; "
            "conv 2, 3x3, pad 1");
  EXPECT_EQ(decoder("bilinear"), "resize x2, bilinear; conv 2, 3x3, pad 1");
  EXPECT_EQ(decoder("nearest"), "resize x2, nearest; conv 2, 3x3, pad 1");
}

TEST(Unet, GroupsDivideOddWidths) {
  const Graph graph = build_unet({.width = 6, .depth = 1, .norm = Norm::group});
  EXPECT_EQ(std::get<op::GroupNorm>(graph.nodes[index_of(graph, "encoder.0.gn1")].op).groups, 2);
  EXPECT_EQ(std::get<op::GroupNorm>(graph.nodes[index_of(graph, "encoder.1.gn1")].op).groups, 4);
}

}  // namespace
}  // namespace segmentum
