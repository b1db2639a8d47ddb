#include "graph/rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> result;
  for (const Node& node : graph.nodes) result.push_back(node.name);
  return result;
}

std::vector<std::string> parameter_names(const Graph& graph) {
  std::vector<std::string> result;
  for (const ParameterSpec& spec : graph.parameters) result.push_back(spec.name);
  return result;
}

template <typename Op>
const Op& settings(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  if (found == graph.nodes.end()) throw Error("no node " + name);
  return std::get<Op>(found->op);
}

const Activation kRelu = ActivationKind::relu;

TEST(Rewrite, RemovesWhatNoOutputNeeds) {
  GraphBuilder g("test");
  const ValueId unused = g.input("depth", {.channels = 1});
  const ValueId image = g.input("image", {});
  g.conv("dead", unused, {});
  const ValueId one = g.conv("one", image, {});
  g.output("aux", g.conv("side", one, {}));
  g.output("logits", g.conv("main", one, {}));
  const Graph graph = std::move(g).build();

  EXPECT_THAT(names(remove_unused(graph)), ElementsAre("depth", "image", "one", "side", "main"));
  const Graph kept = keep_outputs(graph, std::vector<std::string>{"logits"});
  EXPECT_THAT(names(kept), ElementsAre("depth", "image", "one", "main"));
  EXPECT_THAT(parameter_names(kept),
              ElementsAre("one.weight", "one.bias", "main.weight", "main.bias"));
  EXPECT_EQ(kept.outputs.size(), 1u);
  EXPECT_EQ(kept.output("logits"), 3);
  try {
    keep_outputs(graph, std::vector<std::string>{"edges"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the network has no output \"edges\"; it has aux, logits");
  }
}

TEST(Rewrite, DropsDropoutEvenAsOutput) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  const ValueId drop = g.dropout("drop", g.conv("conv", image, {}), {});
  g.output("raw", drop);
  g.output("out", g.dropout("drop2", g.softmax("softmax", drop), {}));
  const Graph graph = drop_dropout(std::move(g).build());
  EXPECT_THAT(names(graph), ElementsAre("image", "conv", "softmax"));
  EXPECT_EQ(graph.output("raw"), 1);
  EXPECT_EQ(graph.output("out"), 2);
}

TEST(Rewrite, FusesActivationsWithOneReader) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  ValueId x = g.relu("relu1", g.conv("conv", image, {.channels = 3}));
  x = g.activate("relu2", g.batch_norm("bn", x), {ActivationKind::leaky_relu, 0.3f});
  x = g.relu("relu3", g.transposed_conv("up", x, {.channels = 3}));
  x = g.relu("again", x);  // nowhere to go: "up" has its activation
  x = g.activate("nothing", x, ActivationKind::none);
  const ValueId sum = g.add("sum", x, x);
  g.output("before", sum);  // read twice: the sum itself is wanted too
  g.output("after", g.relu("relu4", sum));
  const Graph graph = fuse_activation(std::move(g).build());
  EXPECT_THAT(names(graph), ElementsAre("image", "conv", "bn", "up", "again", "sum", "relu4"));
  EXPECT_EQ(settings<op::Conv>(graph, "conv").activation, kRelu);
  EXPECT_EQ(settings<op::BatchNorm>(graph, "bn").activation,
            Activation(ActivationKind::leaky_relu, 0.3f));
  EXPECT_EQ(settings<op::TransposedConv>(graph, "up").activation, kRelu);
  EXPECT_EQ(settings<op::Add>(graph, "sum").activation, Activation());
}

// A residual block: the later convolution takes the add; the earlier one cannot, it has a ReLU.
TEST(Rewrite, FusesAdd) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  const ValueId shortcut = g.conv("shortcut", image, {.channels = 4});
  const ValueId a = g.conv("a", image, {.channels = 4, .activation = kRelu});
  const ValueId b = g.conv("b", a, {.channels = 4, .bias = false});
  g.output("out", g.relu("relu", g.add("sum", b, shortcut)));
  const Graph graph = fuse_add(fuse_activation(std::move(g).build()));
  EXPECT_THAT(names(graph), ElementsAre("image", "shortcut", "a", "b"));
  EXPECT_TRUE(settings<op::Conv>(graph, "b").add);
  EXPECT_EQ(settings<op::Conv>(graph, "b").activation, kRelu);
  EXPECT_FALSE(settings<op::Conv>(graph, "shortcut").add);
  EXPECT_THAT(graph.nodes.back().inputs, ElementsAre(2, 1));
  EXPECT_EQ(graph.output("out"), 3);
}

// Read by the add first, made first: it must move to where the other value is known.
TEST(Rewrite, FusedAddStandsWhereTheAddStood) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 4});
  const ValueId conv = g.conv("conv", image, {.channels = 4});
  const ValueId late = g.softmax("late", image);
  g.output("out", g.add("sum", conv, late));
  const Graph graph = fuse_add(std::move(g).build());
  EXPECT_THAT(names(graph), ElementsAre("image", "late", "conv"));
  EXPECT_THAT(graph.nodes.back().inputs, ElementsAre(0, 1));
}

TEST(Rewrite, LeavesAddsThatOthersWatch) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 4});
  const ValueId conv = g.conv("conv", image, {.channels = 4});
  g.output("out", g.add("sum", conv, conv));  // twice the same: not its only reader
  EXPECT_THAT(names(fuse_add(std::move(g).build())), ElementsAre("image", "conv", "sum"));
}

Graph head_after_resize(op::Resize resize, op::Conv conv) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 8});
  g.output("logits", g.conv("head", g.resize("up", image, resize), conv));
  return std::move(g).build();
}

TEST(Rewrite, MovesThePointwiseHeadBeforeTheResize) {
  const Graph before = head_after_resize({.scale = 4}, {.channels = 2});
  const Graph after = move_pointwise_before_resize(before);
  EXPECT_THAT(names(after), ElementsAre("image", "head", "up"));
  EXPECT_EQ(after.node(2).channels, 2);
  EXPECT_EQ(after.output("logits"), 2);
  const Shape shape{1, 8, 5, 5};
  EXPECT_EQ(analyse(before, {&shape, 1}).multiply_adds, 20 * 20 * 16);
  EXPECT_EQ(analyse(after, {&shape, 1}).multiply_adds, 5 * 5 * 16);
}

TEST(Rewrite, MovesOnlyWhatCommutesAndPays) {
  const auto moves = [](op::Resize resize, op::Conv conv) {
    const Graph after = move_pointwise_before_resize(head_after_resize(resize, conv));
    return after.nodes[1].name == "head";
  };
  const op::Resize bilinear{.scale = 2}, nearest{.mode = Interpolation::nearest, .scale = 2};
  EXPECT_TRUE(moves(bilinear, {.channels = 4, .groups = 4}));
  EXPECT_FALSE(moves(bilinear, {.channels = 8}));  // as many channels: as much to resize
  EXPECT_FALSE(moves(bilinear, {.channels = 4, .kernel = 3}));
  EXPECT_FALSE(moves(bilinear, {.channels = 4, .stride = 2}));
  EXPECT_FALSE(moves(bilinear, {.channels = 4, .padding = 1}));
  EXPECT_FALSE(moves(bilinear, {.channels = 4, .activation = kRelu}));
  EXPECT_TRUE(moves(nearest, {.channels = 4, .activation = kRelu}));
}

TEST(Rewrite, ResizeLikeMovesOnlyWhereItMagnifies) {
  const auto moves = [](bool up) {
    GraphBuilder g("test");
    const ValueId image = g.input("image", {.channels = 8});
    const ValueId half = g.max_pool("half", image);
    const ValueId resized = up ? g.resize_like("r", half, image) : g.resize_like("r", image, half);
    g.output("out", g.conv("head", resized, {.channels = 2}));
    return move_pointwise_before_resize(std::move(g).build()).nodes.back().name == "r";
  };
  EXPECT_TRUE(moves(true));
  EXPECT_FALSE(moves(false));
}

/// One batch norm after `convolution` of two channels: gamma 6, 1; beta 5, 0; mean 3, 0; variance
/// 4, 1; epsilon 0. Thus s = 3, 1.
template <typename Apply>
GraphWithParameters folded(const Apply& convolution, std::vector<float> weight) {
  GraphBuilder g("test");
  const ValueId x = convolution(g, g.input("image", {.channels = 2}));
  g.output("out", g.batch_norm("bn", x, {.epsilon = 0, .activation = kRelu}));
  const Graph graph = std::move(g).build();
  ParameterStore parameters = initialise(graph, 1);
  const auto set = [&](const std::string& name, const std::vector<float>& values) {
    std::ranges::copy(values, parameters.change(name).data());
  };
  set("conv.weight", weight);
  if (parameters.contains("conv.bias")) set("conv.bias", {1, 1});
  set("bn.weight", {6, 1});
  set("bn.bias", {5, 0});
  set("bn.running_mean", {3, 0});
  set("bn.running_var", {4, 1});
  return fold_batch_norm(graph, parameters);
}

std::vector<float> numbers(const GraphWithParameters& result, const std::string& name) {
  const auto values = result.parameters.value(name).values();
  return {values.begin(), values.end()};
}

TEST(FoldBatchNorm, ConvolutionByHand) {
  const auto result = folded(
      [](GraphBuilder& g, ValueId x) { return g.conv("conv", x, {.channels = 2}); }, {2, 1, 7, 8});
  EXPECT_THAT(names(result.graph), ElementsAre("image", "conv"));
  EXPECT_THAT(numbers(result, "conv.weight"), ElementsAre(6, 3, 7, 8));
  EXPECT_THAT(numbers(result, "conv.bias"), ElementsAre(-1, 1));  // (1 - 3) * 3 + 5, 1
  EXPECT_EQ(settings<op::Conv>(result.graph, "conv").activation, kRelu);
  EXPECT_EQ(result.parameters.all().size(), 2u);
  EXPECT_EQ(result.graph.output("out"), 1);
}

TEST(FoldBatchNorm, MakesABiasWhereThereWasNone) {
  const auto result = folded(
      [](GraphBuilder& g, ValueId x) {
        return g.conv("conv", x, {.channels = 2, .groups = 2, .bias = false});
      },
      {2, 7});
  EXPECT_THAT(numbers(result, "conv.weight"), ElementsAre(6, 7));
  EXPECT_THAT(numbers(result, "conv.bias"), ElementsAre(-4, 0));  // (0 - 3) * 3 + 5, 0
}

// Weights [in, out/groups]: outputs are columns, or with two groups rows.
TEST(FoldBatchNorm, TransposedConvolutionByHand) {
  const auto transposed = [](int groups) {
    return [groups](GraphBuilder& g, ValueId x) {
      return g.transposed_conv("conv", x,
                               {.channels = 2, .kernel = 1, .stride = 1, .groups = groups});
    };
  };
  EXPECT_THAT(numbers(folded(transposed(1), {2, 1, 7, 8}), "conv.weight"),
              ElementsAre(6, 1, 21, 8));
  EXPECT_THAT(numbers(folded(transposed(2), {2, 7}), "conv.weight"), ElementsAre(6, 7));
}

TEST(FoldBatchNorm, LeavesWhatItMustNot) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 2});
  const ValueId watched = g.conv("watched", image, {.channels = 2});
  g.output("raw", watched);
  const ValueId active =
      g.conv("active", g.batch_norm("bn1", watched), {.channels = 2, .activation = kRelu});
  g.output("out", g.batch_norm("bn2", active));
  const Graph graph = std::move(g).build();
  const auto result = fold_batch_norm(graph, initialise(graph, 1));
  EXPECT_EQ(names(result.graph), names(graph));
  EXPECT_EQ(result.parameters.all().size(), 12u);
}

TEST(FoldBatchNorm, LeavesSharedWeights) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 2});
  g.output("a", g.batch_norm("bn1", g.conv("conv", image, {.channels = 2})));
  g.output("b", g.batch_norm("bn2", g.conv("same", image, {.channels = 2})));
  Graph graph = std::move(g).build();
  graph.nodes[3].parameters = graph.nodes[1].parameters;
  graph = remove_unused(graph);
  const auto result = fold_batch_norm(graph, initialise(graph, 1));
  EXPECT_EQ(names(result.graph), names(graph));
}

TEST(FoldBatchNorm, ParametersMustFit) {
  GraphBuilder g("test");
  g.output("out", g.conv("conv", g.input("image", {}), {}));
  EXPECT_THROW(fold_batch_norm(std::move(g).build(), {}), Error);
}

// Convolution, norm, ReLU, twice, with a residual, dropout, and a head after a resize.
TEST(OptimiseForInference, EveryStepTogether) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 8});
  const op::Conv conv{.channels = 8, .kernel = 3, .padding = 1, .bias = false};
  ValueId x = g.relu("relu1", g.batch_norm("bn1", g.conv("conv1", image, conv)));
  x = g.batch_norm("bn2", g.conv("conv2", g.dropout("drop", x, {}), conv));
  x = g.relu("relu2", g.add("sum", x, image));
  g.output("logits", g.conv("head", g.resize("up", x, {.scale = 2}), {.channels = 3}));
  const Graph graph = std::move(g).build();
  const auto result = optimise_for_inference(graph, initialise(graph, 1));
  EXPECT_THAT(names(result.graph), ElementsAre("image", "conv1", "conv2", "head", "up"));
  EXPECT_THAT(parameter_names(result.graph),
              ElementsAre("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "head.weight",
                          "head.bias"));
  EXPECT_EQ(settings<op::Conv>(result.graph, "conv1").activation, kRelu);
  EXPECT_TRUE(settings<op::Conv>(result.graph, "conv2").add);
  EXPECT_EQ(settings<op::Conv>(result.graph, "conv2").activation, kRelu);
  require_parameters(result.graph, result.parameters);
}

}  // namespace
}  // namespace segmentum
