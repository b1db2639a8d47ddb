#include "models/deeplab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "graph/analysis.h"
#include "graph/graph_json.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

std::int64_t parameters_of(const Graph& graph) {
  std::int64_t sum = 0;
  for (const ParameterSpec& spec : graph.parameters) {
    if (is_trainable(spec.role)) sum += spec.shape.count();
  }
  return sum;
}

std::vector<Shape> shapes_at(const Graph& graph, std::int64_t h, std::int64_t w) {
  const Shape shape{1, 3, h, w};
  return infer_shapes(graph, {&shape, 1});
}

/// TensorFlow's atrous convolution: the padded picture is dealt out to rate x rate grids of equal
/// size, so that each side is rounded up to a multiple of the rate; what the surplus costs is part
/// of the published figures.
Shape dealt_out(const op::Conv& conv, Shape out) {
  const int rate = conv.dilation.h;
  for (int axis : {2, 3}) out[axis] = (out[axis] + 2 * rate + rate - 1) / rate * rate - 2 * rate;
  return out;
}

/// In units of 10^9; `published_way`: with the surplus of dilated convolutions.
double giga_multiply_adds(const Graph& graph, std::int64_t h, std::int64_t w,
                          bool published_way = false) {
  const auto shapes = shapes_at(graph, h, w);
  double sum = 0;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (!conv) continue;
    const Shape out = published_way ? dealt_out(*conv, shapes[id]) : shapes[id];
    const Shape& in = shapes[static_cast<std::size_t>(node.inputs[0])];
    sum += static_cast<double>(multiply_adds(node, in, out));
  }
  return sum / 1e9;
}

Graph named(const std::string& name, const std::map<std::string, std::string>& settings,
            int classes = 21) {
  return build_model(name, {.classes = classes, .settings = settings});
}

std::size_t index_of(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  EXPECT_NE(found, graph.nodes.end()) << name;
  return static_cast<std::size_t>(found - graph.nodes.begin());
}

const op::Conv& conv_of(const Graph& graph, const std::string& name) {
  return std::get<op::Conv>(graph.nodes[index_of(graph, name)].op);
}

// Chen et al., ICLR 2015, table 2: 134.3 M, 65.1 M and 20.5 M parameters.
TEST(DeeplabV1, FieldsOfViewAsPublished) {
  const auto v1 = [](const std::string& field, const std::string& channels) {
    return named("deeplab_v1",
                 {{"width", "64"}, {"norm", "none"}, {"field", field}, {"fc_channels", channels}});
  };
  const std::int64_t vgg = 14'714'688, classes = 21;
  const auto head = [&](std::int64_t taps, std::int64_t c) {
    return (512 * taps * c + c) + (c * c + c) + (c * classes + classes);
  };
  EXPECT_EQ(parameters_of(v1("7x7", "4096")), vgg + head(49, 4096));
  EXPECT_EQ(parameters_of(v1("4x4", "4096")), vgg + head(16, 4096));
  EXPECT_EQ(parameters_of(v1("largefov", "1024")), vgg + head(9, 1024));
  EXPECT_EQ(vgg + head(49, 4096), 134'346'581);
  EXPECT_EQ(vgg + head(16, 4096), 65'140'565);
  EXPECT_EQ(vgg + head(9, 1024), 20'505'429);
}

TEST(DeeplabV1, RatesFollowTheOutputStride) {
  const auto fc6 = [](const std::string& field, const std::string& output_stride) {
    const Graph graph =
        named("deeplab_v1", {{"width", "2"}, {"field", field}, {"output_stride", output_stride}});
    const auto shapes = shapes_at(graph, 64, 96);
    EXPECT_EQ(shapes[index_of(graph, "fc6")].h(), 64 / std::stoi(output_stride)) << field;
    return conv_of(graph, "fc6");
  };
  EXPECT_EQ(fc6("largefov", "8").dilation, Size2(12));
  EXPECT_EQ(fc6("largefov", "16").dilation, Size2(6));
  EXPECT_EQ(fc6("7x7", "8").dilation, Size2(4));
  EXPECT_EQ(fc6("7x7", "32").dilation, Size2(1));  // VGG's own fc6
  EXPECT_EQ(fc6("4x4", "8").padding, Padding(6));
  EXPECT_EQ(fc6("4x4", "32").padding, Padding(1, 1, 2, 2));  // even: one more at the end
  EXPECT_EQ(fc6("4x4_rate8", "8").dilation, Size2(8));
}

// As the authors: 513 -> 65 features whose corners lie on the picture's. Tiles need the other form.
TEST(DeeplabV1, AlignedCornersOrTiles) {
  const Graph aligned = named("deeplab_v1", {{"width", "2"}, {"align_corners", "true"}});
  EXPECT_EQ(shapes_at(aligned, 513, 511)[index_of(aligned, "pad")], Shape({1, 3, 513, 513}));
  EXPECT_EQ(shapes_at(aligned, 513, 511)[index_of(aligned, "fc8")].w(), 65);
  EXPECT_EQ(shapes_at(aligned, 1, 2).back(), Shape({1, 21, 1, 2}));
  const Graph tiled = named("deeplab_v1", {{"width", "2"}});
  const Shape shape{1, 3, 64, 64};
  EXPECT_TRUE(analyse(tiled, {&shape, 1}).tile_halo);
  EXPECT_EQ(analyse(tiled, {&shape, 1}).tile_multiple, Size2(8));
  EXPECT_FALSE(analyse(aligned, {&shape, 1}).tile_halo);
}

// VGG, and four times fc6, fc7, fc8.
TEST(DeeplabV2, BranchesOnVgg) {
  const Graph graph =
      named("deeplab_v2", {{"width", "64"}, {"norm", "none"}, {"fc_channels", "1024"}});
  const std::int64_t branch = (512 * 9 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 * 21 + 21);
  EXPECT_EQ(parameters_of(graph), 14'714'688 + 4 * branch);
  EXPECT_EQ(conv_of(graph, "fc6_1").dilation, Size2(6));
  EXPECT_EQ(conv_of(graph, "fc6_4").dilation, Size2(24));
  const Graph small = named("deeplab_v2", {{"aspp", "s"}, {"width", "2"}});
  EXPECT_EQ(conv_of(small, "fc6_4").dilation, Size2(12));
}

TEST(DeeplabV2, ScalesShareTheirParameters) {
  const std::map<std::string, std::string> settings{{"backbone", "resnet50"}, {"width", "2"}};
  auto scales = settings;
  scales["multi_scale"] = scales["aux"] = "true";
  const Graph one = named("deeplab_v2", settings), three = named("deeplab_v2", scales);
  EXPECT_EQ(parameters_of(three), parameters_of(one));
  EXPECT_EQ(three.parameters.size(), one.parameters.size());
  const auto shapes = shapes_at(three, 100, 64);  // 100 is padded to 128, a multiple of 32
  EXPECT_EQ(shapes[index_of(three, "data_res075")], Shape({1, 3, 96, 48}));
  EXPECT_EQ(shapes[index_of(three, "data_res05")], Shape({1, 3, 64, 32}));
  EXPECT_EQ(shapes[index_of(three, "fc1_c0")], Shape({1, 21, 16, 8}));
  EXPECT_EQ(shapes[index_of(three, "fc1_c0_res075")], Shape({1, 21, 12, 6}));
  EXPECT_EQ(shapes[index_of(three, "fc1_c0_res05")], Shape({1, 21, 8, 4}));
  std::vector<std::string> outputs;
  for (const Output& output : three.outputs) outputs.push_back(output.name);
  EXPECT_THAT(outputs, testing::ElementsAre("logits", "aux_res1", "aux_res075", "aux_res05"));
  // 1 + 9/16 + 1/4 times the work.
  EXPECT_NEAR(giga_multiply_adds(three, 128, 128) / giga_multiply_adds(one, 128, 128), 1.8125,
              1e-6);
}

// Sizes as the authors': 321 -> 241 and 161, features 41, 31, 21.
TEST(DeeplabV2, AlignedScalesKeepCornersOnCorners) {
  const Graph graph =
      named("deeplab_v2", {{"width", "2"}, {"multi_scale", "true"}, {"align_corners", "true"}});
  const auto shapes = shapes_at(graph, 321, 321);
  EXPECT_EQ(shapes[index_of(graph, "data_res075")].h(), 241);
  EXPECT_EQ(shapes[index_of(graph, "data_res05")].h(), 161);
  EXPECT_EQ(shapes[index_of(graph, "fc8_1")].h(), 41);
  EXPECT_EQ(shapes[index_of(graph, "fc8_1_res075")].h(), 31);
  EXPECT_EQ(shapes[index_of(graph, "fc8_1_res05")].h(), 21);
}

using Settings = std::map<std::string, std::string>;
const Settings kAligned{{"align_corners", "true"}};

Settings with(Settings settings, const Settings& more) {
  settings.insert(more.begin(), more.end());
  return settings;
}

// Chen et al., ECCV 2018, table 5, and TensorFlow's model zoo: multiply-adds at 513x513, output
// stride 16. What TensorFlow counts besides (resizes, norms) is below 0.4 % here.
TEST(DeeplabV3plus, XceptionCostsAsPublished) {
  const Settings xception = with(kAligned, {{"backbone", "xception65"}});
  const Graph separable = named("deeplab_v3plus", xception);
  const Graph full = named("deeplab_v3plus", with(xception, {{"separable", "false"}}));
  EXPECT_NEAR(giga_multiply_adds(separable, 513, 513), 54.035, 0.001);
  EXPECT_NEAR(giga_multiply_adds(separable, 513, 513, true), 54.17, 0.004 * 54.17);
  EXPECT_NEAR(giga_multiply_adds(full, 513, 513), 86.679, 0.001);
  EXPECT_NEAR(giga_multiply_adds(full, 513, 513, true), 89.76, 0.004 * 89.76);
  EXPECT_NEAR(giga_multiply_adds(named("deeplab_v3plus", xception, 19), 1025, 2049, true), 418.64,
              0.004 * 418.64);
}

TEST(DeeplabV3, MobilenetCostsAsPublished) {
  const Graph light = named("deeplab_v3", with(kAligned, {{"rates", "none"}}));
  EXPECT_NEAR(giga_multiply_adds(light, 513, 513), 2.741, 0.001);
  EXPECT_NEAR(giga_multiply_adds(light, 513, 513, true), 2.75, 0.004 * 2.75);
  const Graph streets = named("deeplab_v3", with(kAligned, {{"rates", "none"}}), 19);
  EXPECT_NEAR(giga_multiply_adds(streets, 1025, 2049, true), 21.27, 0.004 * 21.27);
}

// The authors' ResNet-101 is not torchvision's: three 3x3 (to 64, 64, 128 channels) in the place of
// the 7x7, and each stage's stride on its last block, not its first.
double root_and_strides_of_the_authors(int output_stride) {
  const auto square = [](double side) { return side * side; };
  const double p2 = square(257), p4 = square(129), p8 = square(65), p16 = square(33);
  const double root = (27 * 64 + 9 * 64 * 64 + 9 * 64 * 128 - 147 * 64) * p2;
  const double wider_input = (64.0 * 64 + 64 * 256) * p4;  // of layer1: 128 channels, not 64
  double strides = (9 * 64 * 64 + 64 * 256) * (p8 - p4) + 256 * 128 * (p8 - p4);
  if (output_stride == 16) {
    strides += (9 * 128 * 128 + 128 * 512) * (p16 - p8) + 512 * 256 * (p16 - p8);
  }
  return (root + wider_input + strides) / 1e9;
}

// Chen et al., ECCV 2018, table 3: ResNet-101 at 513x513.
TEST(DeeplabV3, Resnet101CostsAsPublished) {
  const auto giga = [](const std::string& network, const std::string& output_stride) {
    const Graph graph = named(network, with(kAligned, {{"backbone", "resnet101"},
                                                       {"separable", "false"},
                                                       {"output_stride", output_stride}}));
    return giga_multiply_adds(graph, 513, 513, true) +
           root_and_strides_of_the_authors(std::stoi(output_stride));
  };
  EXPECT_NEAR(giga("deeplab_v3", "16"), 81.02, 0.004 * 81.02);
  EXPECT_NEAR(giga("deeplab_v3", "8"), 276.18, 0.004 * 276.18);
  EXPECT_NEAR(giga("deeplab_v3plus", "8"), 297.92, 0.004 * 297.92);
  // The decoder sees features of one size, so it costs the same at both strides: 21.74 by the
  // paper's own figures at 8, but 20.26 by those at 16.
  EXPECT_NEAR(giga("deeplab_v3plus", "16"), 81.02 + 297.92 - 276.18, 0.004 * 101.28);
}

TEST(DeeplabV3, MultiGridAndRates) {
  const auto graph = [](const std::string& output_stride, const std::string& multi_grid) {
    return named("deeplab_v3", {{"backbone", "resnet50"},
                                {"width", "2"},
                                {"output_stride", output_stride},
                                {"multi_grid", multi_grid}});
  };
  const auto rates = [](const Graph& net) {
    std::vector<int> result;
    for (const char* block : {"0", "1", "2"}) {
      result.push_back(conv_of(net, std::string("backbone.layer4.") + block + ".conv2").dilation.h);
    }
    return result;
  };
  EXPECT_THAT(rates(graph("16", "true")), testing::ElementsAre(2, 4, 8));
  EXPECT_THAT(rates(graph("16", "false")), testing::ElementsAre(2, 2, 2));
  EXPECT_THAT(rates(graph("8", "true")), testing::ElementsAre(4, 8, 16));
  EXPECT_EQ(conv_of(graph("16", "true"), "aspp.convs.3.0").dilation, Size2(18));
  EXPECT_EQ(conv_of(graph("8", "true"), "aspp.convs.3.0").dilation, Size2(36));
}

TEST(DeeplabV3plus, DecoderMeetsTheFeaturesOfStrideFour) {
  const Graph graph = named("deeplab_v3plus", {{"width", "8"}, {"aspp_channels", "24"}});
  const auto shapes = shapes_at(graph, 50, 65);  // padded to 64x80
  EXPECT_EQ(shapes[index_of(graph, "decoder.low_level.2")], Shape({1, 48, 16, 20}));
  EXPECT_EQ(shapes[index_of(graph, "decoder.concat")], Shape({1, 72, 16, 20}));
  EXPECT_EQ(shapes[index_of(graph, "score")], Shape({1, 21, 50, 65}));
}

TEST(DeeplabV3plus, WithoutImagePoolingItCanBeTiled) {
  const Shape shape{1, 3, 64, 64};
  const auto halo = [&](const std::string& image_pooling) {
    const Graph graph = named("deeplab_v3plus", {{"width", "2"}, {"image_pooling", image_pooling}});
    return analyse(graph, {&shape, 1}).tile_halo;
  };
  EXPECT_TRUE(halo("false"));
  EXPECT_FALSE(halo("true"));
}

// Every way of magnifying, where the graph without a choice resizes: 8 is the factor of v3+ from
// stride 16 to 4 and to the picture's.
TEST(DeeplabV3plus, UpsamplingIsAChoice) {
  const auto plus = [](const std::string& up) {
    return named("deeplab_v3plus", {{"width", "8"}, {"aspp_channels", "24"}, {"up", up}});
  };
  const Graph plain = named("deeplab_v3plus", {{"width", "8"}, {"aspp_channels", "24"}});
  EXPECT_EQ(to_json(plus("bilinear")), to_json(plain));

  const Graph learnt = plus("transpose");
  const auto& features =
      std::get<op::TransposedConv>(learnt.nodes[index_of(learnt, "decoder.interp")].op);
  EXPECT_EQ(features.kernel, Size2(8));
  EXPECT_EQ(features.stride, Size2(4));
  EXPECT_EQ(features.groups, 24);
  EXPECT_TRUE(features.learnt);
  EXPECT_EQ(features.init, Init::bilinear);
  // 24 kernels of 8x8 and, for the scores of 21 classes, 21 of 8x8.
  EXPECT_EQ(parameters_of(learnt), parameters_of(plain) + (24 + 21) * 64);
  EXPECT_EQ(parameters_of(plus("fixed")), parameters_of(plain));

  const Graph convolved = plus("nearest_conv");
  const auto& resize =
      std::get<op::Resize>(convolved.nodes[index_of(convolved, "decoder.interp_resize")].op);
  EXPECT_EQ(resize.mode, Interpolation::nearest);
  EXPECT_EQ(resize.scale, 4);
  EXPECT_EQ(conv_of(convolved, "decoder.interp").init, Init::identity);
  EXPECT_EQ(parameters_of(convolved), parameters_of(plain) + 24 * (24 * 9 + 1) + 21 * (21 * 9 + 1));
}

// What only the training has stays bilinear, and so does the fusion of scales (a factor of 4/3).
TEST(DeeplabV2, OnlyTheScoresAreMagnifiedByChoice) {
  const Graph graph =
      named("deeplab_v2",
            {{"width", "2"}, {"multi_scale", "true"}, {"aux", "true"}, {"up", "transpose"}});
  std::vector<std::string> transposed;
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<op::TransposedConv>(node.op)) transposed.push_back(node.name);
  }
  EXPECT_THAT(transposed, testing::ElementsAre("score_interp"));
}

TEST(DeeplabV1, AlignedCornersAskForBilinear) {
  const Graph graph =
      named("deeplab_v1", {{"width", "2"}, {"align_corners", "true"}, {"up", "bilinear_conv"}});
  EXPECT_EQ(shapes_at(graph, 30, 41)[index_of(graph, "score_interp_resize")].h(), 33);
  EXPECT_EQ(shapes_at(graph, 30, 41)[index_of(graph, "score")], Shape({1, 21, 30, 41}));
  DeeplabV1Options options{.common = {.align_corners = true, .up = {.how = Upsampling::nearest}}};
  EXPECT_THROW(build_deeplab_v1(options), Error);
}

/// Names of the parameters that begin with `prefix`, without it.
std::set<std::string> names_behind(const Graph& graph, const std::string& prefix) {
  std::set<std::string> names;
  for (const ParameterSpec& spec : graph.parameters) {
    if (spec.name.starts_with(prefix)) names.insert(spec.name.substr(prefix.size()));
  }
  return names;
}

// A classifier's checkpoint fits where the names behind "backbone." are its own (MobileNetV3's
// behind "features."), and its shapes.
TEST(DeeplabV3, BackbonesAreCalledAsTheirClassifiers) {
  const auto has = [](const Settings& settings, const std::string& name, const Shape& shape) {
    const Graph graph = named("deeplab_v3", settings);
    const auto found =
        std::ranges::find(graph.parameters, "backbone." + name, &ParameterSpec::name);
    return found != graph.parameters.end() && found->shape == shape;
  };
  const Settings large{{"backbone", "mobilenet_v3_large"}};
  EXPECT_TRUE(has(large, "0.0.weight", {16, 3, 3, 3}));
  EXPECT_TRUE(has(large, "4.block.2.fc1.weight", {24, 72, 1, 1}));
  EXPECT_TRUE(has(large, "16.0.weight", {960, 160, 1, 1}));
  const Settings plain{{"backbone", "vgg16"}, {"norm", "none"}};
  EXPECT_TRUE(has(plain, "features.0.weight", {64, 3, 3, 3}));
  EXPECT_TRUE(has(plain, "features.28.weight", {512, 512, 3, 3}));  // conv5_3 of vgg16
  EXPECT_TRUE(has(plain, "features.28.bias", {512}));
  const Settings normed{{"backbone", "vgg16"}};
  EXPECT_TRUE(has(normed, "features.40.weight", {512, 512, 3, 3}));  // conv5_3 of vgg16_bn
  // 13 convolutions of a weight and a bias each.
  EXPECT_EQ(names_behind(named("deeplab_v3plus", plain), "backbone.").size(), 26u);
  EXPECT_EQ(names_behind(named("hypercolumn", plain), "backbone.").size(), 26u);
}

TEST(DeeplabV3plus, TellsWhatItExpects) {
  const auto error_of = [](const Settings& settings) -> std::string {
    try {
      named("deeplab_v3plus", settings);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of({{"backbone", "resnet49"}}),
              HasSubstr("backbone = \"resnet49\"; expected vgg16, resnet18"));
  EXPECT_THAT(error_of({{"width", "wide"}}),
              HasSubstr("width = \"wide\"; expected published, or a whole number from 1 to 512"));
  EXPECT_THAT(error_of({{"output_stride", "4"}}), HasSubstr("expected 8, 16, 32"));
}

}  // namespace
}  // namespace segmentum
