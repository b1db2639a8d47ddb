#include "graph/graph_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"
#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

/// A graph in which every operator stands, with every setting away from its default.
Graph every_operator() {
  GraphBuilder g("everything");
  const ValueId image = g.input("image", {.channels = 4});
  ValueId x = g.conv("conv", image,
                     {.channels = 8,
                      .kernel = {3, 5},
                      .stride = {2, 1},
                      .dilation = 2,
                      .padding = {1, 2, 3, 4},
                      .groups = 2,
                      .bias = false,
                      .activation = {ActivationKind::leaky_relu, 0.2f},
                      .init = Init::zeros});
  x = g.batch_norm("bn", x,
                   {.epsilon = 1e-3f, .momentum = 0.03f, .activation = ActivationKind::hard_swish});
  x = g.group_norm("gn", x, {.groups = 4, .epsilon = 1e-6f});
  x = g.activate("gelu", g.layer_norm("ln", x, {.epsilon = 1e-6f}), ActivationKind::gelu);
  x = g.activate("act", x, ActivationKind::relu6);
  const ValueId pooled =
      g.max_pool("max_pool", x, {.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}, .ceil = true});
  const ValueId mean = g.average_pool(
      "mean_pool", x,
      {.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}, .ceil = true, .count_padding = false});
  const ValueId sum = g.add("sum", pooled, mean);
  x = g.multiply("gate", sum, g.global_average_pool("gap", sum));
  x = g.transposed_conv("up", x,
                        {.channels = 6,
                         .kernel = 4,
                         .stride = {2, 3},
                         .padding = 1,
                         .output_padding = {0, 1},
                         .groups = 2,
                         .bias = false,
                         .activation = ActivationKind::sigmoid,
                         .init = Init::bilinear});
  x = g.concat("joined", {x, x, x});
  x = g.pad("pad", x, {.mode = PadMode::mirror, .margin = 3, .multiple = 8, .remainder = 5});
  x = g.resize("bigger", x, {.mode = Interpolation::nearest, .align_corners = true, .scale = 8});
  x = g.crop_like("crop", x, image, {.centre = true, .offset = {1, 2}});
  x = g.resize("smaller", g.maximum("larger", x, x), {.scale = 3, .divisor = 4});
  x = g.dropout("drop", x, {.rate = 0.1f});
  x = g.location_grid("location", x, {.grid = 3});
  g.output("features", x);
  const ValueId same = g.resize_like("same", x, image);
  g.output("probabilities", g.softmax("softmax", same));
  g.output("refined", g.mean_field("crf", same, image,
                                   {.iterations = 7,
                                    .spatial_sigma_px = 1.5f,
                                    .spatial_weight = 0.75f,
                                    .bilateral_sigma_px = 40,
                                    .bilateral_sigma_colour = 9.5f,
                                    .bilateral_weight = 2.25f,
                                    .normalisation = CrfNormalisation::after,
                                    .levels = {25.5f, 0, 30.6f, 1e-3f},
                                    .zero_levels = {127.5f, 0, -3.25f, 1}}));
  Graph graph = std::move(g).build();
  // A convolution that adds its second input, with the first one's weights: parameters are shared.
  Node adds = graph.nodes[1];
  adds.name = "conv_again";
  std::get<op::Conv>(adds.op).add = true;
  adds.inputs.push_back(1);
  graph.nodes.push_back(adds);
  graph.outputs.push_back({"again", static_cast<ValueId>(graph.nodes.size()) - 1});
  validate(graph);
  return graph;
}

TEST(GraphJson, EveryOperatorSurvivesTheRoundTrip) {
  const Graph graph = every_operator();
  const std::string text = to_json(graph);
  const Graph back = graph_from_json(text);
  EXPECT_EQ(to_json(back), text);
  ASSERT_EQ(back.nodes.size(), graph.nodes.size());
  std::set<std::size_t> kinds;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    EXPECT_EQ(back.nodes[i].name, graph.nodes[i].name);
    EXPECT_EQ(back.nodes[i].op.index(), graph.nodes[i].op.index());
    EXPECT_EQ(back.nodes[i].inputs, graph.nodes[i].inputs);
    EXPECT_EQ(back.nodes[i].parameters, graph.nodes[i].parameters);
    EXPECT_EQ(back.nodes[i].channels, graph.nodes[i].channels);
    kinds.insert(graph.nodes[i].op.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Operator>);
  ASSERT_EQ(back.parameters.size(), graph.parameters.size());
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    EXPECT_EQ(back.parameters[i].name, graph.parameters[i].name);
    EXPECT_EQ(back.parameters[i].shape, graph.parameters[i].shape);
    EXPECT_EQ(back.parameters[i].role, graph.parameters[i].role);
    EXPECT_EQ(back.parameters[i].init, graph.parameters[i].init);
  }
  const auto& conv = std::get<op::Conv>(back.nodes[1].op);
  EXPECT_EQ(conv.kernel, Size2(3, 5));
  EXPECT_EQ(conv.padding, Padding(1, 2, 3, 4));
  EXPECT_EQ(conv.activation, Activation(ActivationKind::leaky_relu, 0.2f));
  EXPECT_EQ(std::get<op::BatchNorm>(back.nodes[2].op).epsilon, 1e-3f);
  EXPECT_EQ(back.outputs[0].name, "features");
  EXPECT_EQ(back.outputs[1].name, "probabilities");
}

TEST(GraphJson, IsReadable) {
  GraphBuilder g("tiny");
  const ValueId image = g.input("image", {});
  g.output("logits",
           g.conv("head", image,
                  {.channels = 2, .kernel = 3, .padding = 1, .activation = ActivationKind::relu}));
  EXPECT_EQ(to_json(std::move(g).build()),
            "{\"version\": 1,\n"
            " \"architecture\": \"tiny\",\n"
            " \"inputs\": [\"image\"],\n"
            " \"nodes\": [\n"
            "  {\"name\":\"image\",\"op\":\"input\"},\n"
            "  {\"name\":\"head\",\"op\":\"conv\",\"inputs\":[\"image\"],\"channels\":2,"
            "\"kernel\":3,\"padding\":1,\"activation\":\"relu\"}\n"
            " ],\n"
            " \"outputs\": {\"logits\":\"head\"}}\n");
}

/// A graph of one input and these nodes, "x" being the output.
std::string with_nodes(const std::string& nodes) {
  return R"({"version": 1, "architecture": "a", "inputs": ["image"],
             "nodes": [{"name": "image", "op": "input"}, )" +
         nodes + R"(], "outputs": {"logits": "x"}})";
}

// A file says nothing where a setting has its default, so these defaults are part of the format.
TEST(GraphJson, DefaultsArePartOfTheFormat) {
  const auto read = [](const std::string& op, const std::string& inputs) {
    return graph_from_json(
               with_nodes(R"({"name": "x", "op": ")" + op + R"(", "inputs": )" + inputs + "}"))
        .nodes.back()
        .op;
  };
  const std::string one = R"(["image"])", two = R"(["image", "image"])";
  const auto conv = std::get<op::Conv>(read("conv", one));
  EXPECT_EQ(conv.channels, 1);
  EXPECT_EQ(conv.kernel, Size2(1));
  EXPECT_EQ(conv.stride, Size2(1));
  EXPECT_EQ(conv.dilation, Size2(1));
  EXPECT_EQ(conv.padding, Padding(0));
  EXPECT_EQ(conv.groups, 1);
  EXPECT_TRUE(conv.bias);
  EXPECT_FALSE(conv.add);
  const auto up = std::get<op::TransposedConv>(read("transposed_conv", one));
  EXPECT_EQ(up.kernel, Size2(2));
  EXPECT_EQ(up.stride, Size2(2));
  EXPECT_TRUE(up.bias);
  const auto bn = std::get<op::BatchNorm>(read("batch_norm", one));
  EXPECT_EQ(bn.epsilon, 1e-5f);
  EXPECT_EQ(bn.momentum, 0.1f);
  EXPECT_EQ(bn.activation, Activation());
  EXPECT_EQ(std::get<op::GroupNorm>(read("group_norm", one)).epsilon, 1e-5f);
  EXPECT_EQ(std::get<op::LayerNorm>(read("layer_norm", one)).epsilon, 1e-5f);
  const auto max_pool = std::get<op::MaxPool>(read("max_pool", one));
  EXPECT_EQ(max_pool.kernel, Size2(2));
  EXPECT_EQ(max_pool.stride, Size2(2));
  EXPECT_FALSE(max_pool.ceil);
  EXPECT_TRUE(std::get<op::AveragePool>(read("average_pool", one)).count_padding);
  const auto resize = std::get<op::Resize>(read("resize", two));
  EXPECT_EQ(resize.mode, Interpolation::bilinear);
  EXPECT_FALSE(resize.align_corners);
  EXPECT_EQ(resize.scale, 0);
  EXPECT_EQ(resize.divisor, 1);
  const auto pad = std::get<op::Pad>(read("pad", one));
  EXPECT_EQ(pad.mode, PadMode::zero);
  EXPECT_EQ(pad.multiple, 1);
  EXPECT_FALSE(std::get<op::Crop>(read("crop", two)).centre);
  EXPECT_EQ(std::get<op::Dropout>(read("dropout", one)).rate, 0.5f);
  const Graph grid = graph_from_json(R"({"version": 1, "architecture": "a", "inputs": ["image"],
      "nodes": [{"name": "image", "op": "input", "channels": 200},
                {"name": "x", "op": "location_grid", "inputs": ["image"]}],
      "outputs": {"logits": "x"}})");
  EXPECT_EQ(std::get<op::LocationGrid>(grid.nodes.back().op).grid, 10);
  const auto crf = std::get<op::MeanField>(read("mean_field", two));
  EXPECT_EQ(crf.iterations, 5);
  EXPECT_EQ(crf.spatial_sigma_px, 3);
  EXPECT_EQ(crf.spatial_weight, 3);
  EXPECT_EQ(crf.bilateral_sigma_px, 80);
  EXPECT_EQ(crf.bilateral_sigma_colour, 13);
  EXPECT_EQ(crf.bilateral_weight, 10);
  EXPECT_EQ(crf.normalisation, CrfNormalisation::symmetric);
  EXPECT_THAT(crf.levels, testing::ElementsAre(1));
  EXPECT_THAT(crf.zero_levels, testing::ElementsAre(0));
}

std::string error_of(const std::string& text) {
  try {
    graph_from_json(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string conv_with(const std::string& settings) {
  return with_nodes(R"({"name": "x", "op": "conv", "inputs": ["image"], )" + settings + "}");
}

TEST(GraphJson, RefusesWhatIsNoGraph) {
  EXPECT_THAT(error_of(""), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of("[1, 2"), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not an object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("has no \"version\""));
  EXPECT_THAT(error_of(R"({"version": 2})"), HasSubstr("version 2; this program reads version 1"));
  EXPECT_THAT(error_of(R"({"version": 1, "version": 1})"), HasSubstr("twice"));
  EXPECT_THAT(error_of(std::string(1 << 20, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error_of("{\"a\":\"\xff\"}"), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(with_nodes(R"({"name": "y", "op": "softmax", "inputs": ["image"]})")),
              HasSubstr("output \"logits\" reads \"x\", which no node"));
}

TEST(GraphJson, NamesTheNodeAndTheField) {
  EXPECT_THAT(error_of(with_nodes(R"({"name": "x", "op": "warp", "inputs": ["image"]})")),
              HasSubstr("node \"x\" has an unknown operator \"warp\""));
  EXPECT_THAT(error_of(with_nodes(R"({"name": "x", "op": "softmax", "inputs": ["x"]})")),
              HasSubstr("node \"x\" reads \"x\", which no node before it makes"));
  EXPECT_THAT(error_of(with_nodes(R"({"name": "a\nb", "op": "softmax", "inputs": ["image"]},
                                     {"name": "x", "op": "softmax", "inputs": ["image"]})")),
              HasSubstr("node number 2 has a name that is empty or holds control characters"));
  EXPECT_THAT(error_of(with_nodes("7")), HasSubstr("node number 2"));
  EXPECT_THAT(error_of(conv_with(R"("kernal": 3)")),
              HasSubstr("unknown field \"kernal\"; known are name, op, inputs, parameters, "
                        "channels, kernel"));
  EXPECT_THAT(error_of(conv_with(R"("kernel": "3")")), HasSubstr("\"kernel\" that is not a whole"));
  EXPECT_THAT(error_of(conv_with(R"("kernel": 3.5)")), HasSubstr("\"kernel\" that is not a whole"));
  EXPECT_THAT(error_of(conv_with(R"("kernel": [3])")), HasSubstr("[height, width]"));
  EXPECT_THAT(error_of(conv_with(R"("padding": [1, 2])")), HasSubstr("[top, left, bottom, right]"));
  EXPECT_THAT(error_of(conv_with(R"("bias": 1)")), HasSubstr("true or false"));
  EXPECT_THAT(error_of(conv_with(R"("activation": "mish")")), HasSubstr("one of none, relu"));
  EXPECT_THAT(error_of(conv_with(R"("activation": {"kind": "relu"})")), HasSubstr("\"slope\""));
  EXPECT_THAT(error_of(conv_with(R"("parameters": ["w"])")),
              HasSubstr("names 1 parameter; expected 2"));
}

TEST(GraphJson, RefusesAbsurdNumbers) {
  EXPECT_THAT(error_of(conv_with(R"("channels": 0)")),
              HasSubstr("channels 0; expected 1 to 1048576"));
  EXPECT_THAT(error_of(conv_with(R"("channels": 1048577)")), HasSubstr("expected 1 to 1048576"));
  EXPECT_THAT(error_of(conv_with(R"("channels": 99999999999999999999)")), HasSubstr("in range"));
  EXPECT_THAT(error_of(conv_with(R"("stride": -2147483648)")), HasSubstr("in range"));
  EXPECT_THAT(error_of(conv_with(R"("padding": -1)")), HasSubstr("padding -1"));
  EXPECT_THAT(error_of(conv_with(R"("channels": 1048576, "kernel": 1048576)")),
              HasSubstr("at most 2^40"));
  EXPECT_THAT(error_of(conv_with(R"("activation": {"kind": "leaky_relu", "slope": 1e39})")),
              HasSubstr("finite"));
  EXPECT_THAT(error_of(conv_with(R"("activation": {"kind": "leaky_relu", "slope": 1e999})")),
              HasSubstr("is not JSON"));
  EXPECT_THAT(
      error_of(with_nodes(R"({"name": "x", "op": "max_pool", "inputs": ["image"], "padding": 2})")),
      HasSubstr("padding 2; expected 0 to 1"));
  EXPECT_THAT(error_of(with_nodes(R"({"name": "x", "op": "pad", "inputs": ["image"],
                                      "multiple": 4, "remainder": 4})")),
              HasSubstr("remainder 4; expected 0 to 3"));
}

TEST(GraphJson, RefusesAMeanFieldThatMeansNothing) {
  const auto crf_with = [](const std::string& settings) {
    return error_of(with_nodes(
        R"({"name": "x", "op": "mean_field", "inputs": ["image", "image"], )" + settings + "}"));
  };
  EXPECT_THAT(crf_with(R"("iterations": 1001)"), HasSubstr("iterations 1001; expected 1 to 1000"));
  EXPECT_THAT(crf_with(R"("spatial_sigma_px": 0)"), HasSubstr("expected a number above 0"));
  EXPECT_THAT(crf_with(R"("bilateral_weight": -1)"), HasSubstr("expected a finite number from 0"));
  EXPECT_THAT(crf_with(R"("bilateral_weight": 0, "spatial_weight": 0)"), HasSubstr("no kernel"));
  EXPECT_THAT(crf_with(R"("normalisation": "both")"), HasSubstr("one of symmetric, before, after"));
  EXPECT_THAT(crf_with(R"("levels": [1, 2])"),
              HasSubstr("2 levels for a picture of 3 channels; expected one, or one for each"));
  EXPECT_THAT(crf_with(R"("levels": [])"), HasSubstr("0 levels"));
  EXPECT_THAT(crf_with(R"("levels": [-1])"), HasSubstr("levels -1"));
  EXPECT_THAT(crf_with(R"("zero_levels": [1, 2])"), HasSubstr("2 zero_levels for a picture of 3"));
  EXPECT_THAT(crf_with(R"("zero_levels": [-1e39])"), HasSubstr("finite"));
}

// Two coordinates and each channel are the features of the kernel of colours.
TEST(GraphJson, RefusesAMeanFieldOfTooManyChannels) {
  const auto of_channels = [](int channels, float bilateral_weight) {
    try {
      GraphBuilder g("crf");
      const ValueId picture = g.input("picture", {.channels = channels});
      g.output("result", g.mean_field("x", g.input("scores", {}), picture,
                                      {.bilateral_weight = bilateral_weight}));
      std::move(g).build();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(of_channels(58, 1), "no error");
  EXPECT_THAT(of_channels(59, 1), HasSubstr("compares colours of 59 channels; at most 58"));
  EXPECT_EQ(of_channels(59, 0), "no error");
}

// Each conv makes 2^20 channels; joined 4096 times they would pass the largest int.
TEST(GraphJson, SumsOfChannelsCannotOverflow) {
  std::string nodes = R"({"name": "wide", "op": "conv", "inputs": ["image"], "channels": 1048576},
                         {"name": "x", "op": "concat", "inputs": ["wide")";
  for (int i = 1; i < 4096; ++i) nodes += R"(, "wide")";
  EXPECT_THAT(error_of(with_nodes(nodes + "]}")),
              HasSubstr("node \"x\" has channels 4294967296; expected 1 to 1048576"));
}

/// One change: a byte replaced, put in or cut out, or (most often) another number.
void damage(std::string& text, RandomStream& random) {
  const std::string alphabet = "0123456789-.eE\",:[]{}tfn \xff";
  std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
  const char letter = alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
  switch (random.below(8)) {
    case 0:
      text[at] = letter;
      break;
    case 1:
      text.insert(at, 1, letter);
      break;
    case 2:
      text.erase(at, 1 + random.below(8));
      break;
    default:
      at = std::min(text.find_first_of("123456789", at), text.size() - 1);
      text.replace(at, 1, std::to_string(random.below(1u << random.below(24))));
  }
}

// Either a graph, which can then be analysed, or an Error.
TEST(GraphJson, DamagedTextIsAGraphOrAnError) {
  const std::string text = to_json(every_operator());
  const Shape shape{1, 4, 24, 40};
  int graphs = 0, analysed = 0;
  for (std::uint32_t round = 0; round < 3000; ++round) {
    RandomStream random(11, 0, round);
    std::string damaged = text;
    for (std::uint32_t i = 0; i <= random.below(3); ++i) damage(damaged, random);
    try {
      const Graph graph = graph_from_json(damaged);
      ++graphs;
      analyse(graph, {&shape, 1});
      ++analysed;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(graphs, 200);  // the damage is of every kind
  EXPECT_GT(analysed, 20);
}

TEST(GraphJson, NamesMustBeUtf8) {
  GraphBuilder g("a");
  g.output("logits", g.softmax("\xff", g.input("image", {})));
  const Graph graph = std::move(g).build();
  EXPECT_THROW(to_json(graph), Error);
}

}  // namespace
}  // namespace segmentum
