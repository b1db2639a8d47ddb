// Restricted networks held to the whole ones, bit for bit.
#include "graph/restrict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"
#include "graph/group_phases.h"

namespace segmentum {
namespace {

Tensor random_input(const Shape& shape) {
  Tensor tensor(shape);
  RandomStream random(7, 0, 0);
  for (float& value : tensor.values()) value = static_cast<float>(random.normal());
  return tensor;
}

Interval random_interval(std::int64_t size, RandomStream& random) {
  const std::int64_t length = 1 + random.below(static_cast<std::uint32_t>(size));
  const std::int64_t begin = random.below(static_cast<std::uint32_t>(size - length + 1));
  return {begin, begin + length};
}

void copy_region(const Tensor& from, const Region& region, TensorView to) {
  for (std::int64_t c = 0; c < to.shape.c(); ++c) {
    for (std::int64_t y = 0; y < to.shape.h(); ++y) {
      const float* row = &from(0, c, region.y.begin + y, region.x.begin);
      std::copy_n(row, to.shape.w(), &to(0, c, y, 0));
    }
  }
}

/// Runs the part alone and compares it with what the whole gave.
void expect_bits(Executor& executor, const Graph& graph, ParameterStore& parameters,
                 const Tensor& input, const RestrictedGraph& part, const std::string& output,
                 const Region& wanted, ConstTensorView whole) {
  const Shape shape{1, input.shape().c(), part.input.y.size(), part.input.x.size()};
  const auto plan = executor.plan(part.graph, parameters, {&shape, 1},
                                  {.workspace = std::make_shared<Workspace>()});
  copy_region(input, part.input, plan->input());
  plan->forward();
  const ConstTensorView alone = plan->output(output);
  ASSERT_EQ(alone.shape.h(), wanted.y.size());
  ASSERT_EQ(alone.shape.w(), wanted.x.size());
  for (std::int64_t c = 0; c < alone.shape.c(); ++c) {
    for (std::int64_t y = 0; y < alone.shape.h(); ++y) {
      for (std::int64_t x = 0; x < alone.shape.w(); ++x) {
        ASSERT_EQ(alone(0, c, y, x), whole(0, c, wanted.y.begin + y, wanted.x.begin + x))
            << graph.architecture << " at " << wanted.y.begin + y << "," << wanted.x.begin + x
            << " of rows " << wanted.y.begin << ".." << wanted.y.end << ", columns "
            << wanted.x.begin << ".." << wanted.x.end;
      }
    }
  }
}

/// Some regions of an output; returns how many could be run alone.
int compare_regions(Executor& executor, const Graph& graph, const Shape& shape,
                    const std::string& output, int count) {
  ParameterStore parameters = random_parameters(graph, 1);
  const Tensor input = random_input(shape);
  const auto whole = executor.plan(graph, parameters, {&shape, 1}, {});
  std::ranges::copy(input.values(), whole->input().values().begin());
  whole->forward();
  const ConstTensorView all = whole->output(output);
  RandomStream random(9, 0, 0);
  int compared = 0;
  for (int i = 0; i < count; ++i) {
    const Region wanted{random_interval(all.shape.h(), random),
                        random_interval(all.shape.w(), random)};
    const auto part = restricted(graph, shape, output, wanted, executor.grid());
    if (!part) continue;
    expect_bits(executor, graph, parameters, input, *part, output, wanted, all);
    if (testing::Test::HasFatalFailure()) return compared;
    ++compared;
  }
  return compared;
}

class RestrictedCase : public testing::TestWithParam<EngineCase> {};

// Every operator and many small networks, on both engines, with groups that begin at the first
// pixel and elsewhere.
TEST_P(RestrictedCase, GivesTheBitsOfTheWhole) {
  const auto& [name, graph, inputs, partial] = GetParam();
  const Shape shape{1, inputs[0].c(), inputs[0].h(), inputs[0].w()};
  for (const auto& executor : {make_reference_executor(), make_cpu_executor()}) {
    for (const Graph& grouped : {graph, with_group_phases(graph, executor->grid())}) {
      for (const Output& output : graph.outputs) {
        compare_regions(*executor, grouped, shape, output.name, 4);
        if (HasFatalFailure()) return;
      }
    }
  }
}

/// Most cases can be cut; those that cannot are few and known.
TEST(Restricted, FewCannotBeCut) {
  std::set<std::string> whole;
  for (const EngineCase& tested : engine_cases()) {
    if (tested.inputs.size() != 1) continue;
    const auto shapes = infer_shapes(tested.graph, tested.inputs);
    for (const Output& output : tested.graph.outputs) {
      const Shape& shape = shapes[static_cast<std::size_t>(output.value)];
      const Region corner{{shape.h() - 1, shape.h()}, {0, 1}};
      const Shape picture{1, tested.inputs[0].c(), tested.inputs[0].h(), tested.inputs[0].w()};
      if (!restricted(tested.graph, picture, output.name, corner)) whole.insert(tested.name);
    }
  }
  EXPECT_LT(whole.size(), 60u);
  EXPECT_FALSE(whole.contains("unet_transpose_odd"));
}

// What engines rest on that compute in other groups what is never cut: no part of it is ever run.
TEST(Restricted, NoPartHoldsWhatIsNeverCut) {
  int never = 0;
  for (const EngineCase& tested : engine_cases()) {
    if (tested.inputs.size() != 1) continue;
    const Graph& graph = tested.graph;
    const Shape picture{1, tested.inputs[0].c(), tested.inputs[0].h(), tested.inputs[0].w()};
    const auto shapes = infer_shapes(graph, tested.inputs);
    const std::vector<bool> whole = never_cut(graph);
    std::set<std::string> names;
    for (std::size_t id = 0; id < whole.size(); ++id) {
      if (whole[id]) names.insert(graph.nodes[id].name);
    }
    for (const Output& output : graph.outputs) {
      const auto value = static_cast<std::size_t>(output.value);
      const Region all{{0, shapes[value].h()}, {0, shapes[value].w()}};
      const auto part = restricted(graph, picture, output.name, all);
      never += whole[value] ? 1 : 0;
      ASSERT_FALSE(whole[value] && part) << tested.name;
      if (!part) continue;
      for (const Node& node : part->graph.nodes) {
        EXPECT_FALSE(names.contains(node.name)) << tested.name << ": " << node.name;
      }
      EXPECT_EQ(std::ranges::count(never_cut(part->graph), true), 0) << tested.name;
    }
  }
  EXPECT_GT(never, 5);
}

// The part of a network that its second output needs has the whole's bits, though the first one
// sees the whole picture.
TEST(Restricted, GivesTheBitsBesideWhatIsNeverCut) {
  GraphBuilder g("beside");
  const ValueId image = g.input("image", {.channels = 16});
  const op::Conv atrous{.channels = 24, .kernel = 3, .dilation = 6, .padding = 6};
  const ValueId shared = g.conv("shared", image, atrous);
  const ValueId branch = g.conv("branch", shared, atrous);
  const ValueId mean = g.global_average_pool("mean", branch);
  g.output("logits", g.multiply("gated", branch, mean));
  g.output("aux", g.conv("aux", shared, atrous));
  const Graph graph = std::move(g).build();
  const auto executor = make_cpu_executor();
  EXPECT_EQ(compare_regions(*executor, graph, {1, 16, 52, 61}, "aux", 8), 8);
  EXPECT_EQ(compare_regions(*executor, graph, {1, 16, 52, 61}, "logits", 8), 0);
}

// Groups of six pixels where channels are few, of four where they are many or dilated, at two
// strides.
TEST(Restricted, GivesTheBitsOfWinogradTilesOfAllKinds) {
  GraphBuilder g("tiles");
  const ValueId image = g.input("image", {.channels = 3});
  const auto conv = [&](const char* name, ValueId x, int channels, int dilation = 1) {
    return g.conv(name, x,
                  {.channels = channels,
                   .kernel = 3,
                   .dilation = dilation,
                   .padding = dilation,
                   .activation = ActivationKind::relu});
  };
  const ValueId fine = conv("b", conv("a", image, 16), 24);
  const ValueId wide = conv("c", g.max_pool("pool", fine, {}), 200);
  const ValueId coarse = conv("e", conv("d", wide, 200), 16, 2);
  const ValueId up = g.resize("up", coarse, {.scale = 2});
  g.output("logits", conv("f", g.concat("join", {fine, up}), 16));
  const Graph graph = std::move(g).build();
  const auto executor = make_cpu_executor();
  EXPECT_EQ(executor->grid().period(graph, graph.node(fine).inputs[0], 2), 1);  // of 3 channels
  EXPECT_EQ(executor->grid().period(graph, fine, 3), 6);
  EXPECT_EQ(compare_regions(*executor, graph, {1, 3, 52, 46}, "logits", 12), 12);
  const Graph phased = with_group_phases(graph, executor->grid());
  EXPECT_TRUE(std::ranges::any_of(phased.nodes, [](const Node& node) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    return conv != nullptr && conv->phase != Size2(0);
  }));
  EXPECT_EQ(compare_regions(*executor, phased, {1, 3, 52, 46}, "logits", 12), 12);
}

// oneDNN's kernel for these adds up many channels in parts that go by the number of pixels, and
// it has another one for strides that leave a pixel over, as parts of an even map do.
TEST(Restricted, GivesTheBitsOfPointwiseConvolutionsOfManyChannels) {
  for (const int channels : {32, 64, 81, 96, 112, 128, 300, 512}) {
    GraphBuilder g("pointwise");
    const ValueId image = g.input("image", {.channels = channels});
    g.output("conv", g.conv("conv", image, {.channels = 128}));
    g.output("strided", g.conv("strided", image, {.channels = 48, .stride = 2}));
    g.output("up", g.transposed_conv("up", image, {.channels = 32}));
    const Graph graph = std::move(g).build();
    const auto executor = make_cpu_executor();
    for (const char* output : {"conv", "strided", "up"}) {
      EXPECT_EQ(compare_regions(*executor, graph, {1, channels, 90, 20}, output, 8), 8);
    }
  }
}

TEST(Restricted, GivesTheBitsOfGroupedConvolutions) {
  for (const int channels : {9, 24, 64, 96}) {
    for (const int groups : {3, channels / 4}) {
      if (channels % groups != 0) continue;
      GraphBuilder g("grouped");
      const ValueId image = g.input("image", {.channels = channels});
      g.output("conv",
               g.conv("conv", image,
                      {.channels = 2 * channels, .kernel = 3, .padding = 1, .groups = groups}));
      g.output("pointwise", g.conv("pointwise", image, {.channels = channels, .groups = groups}));
      g.output("up", g.transposed_conv("up", image, {.channels = channels, .groups = groups}));
      const Graph graph = std::move(g).build();
      const auto executor = make_cpu_executor();
      for (const char* output : {"conv", "pointwise", "up"}) {
        EXPECT_EQ(compare_regions(*executor, graph, {1, channels, 61, 20}, output, 8), 8);
      }
    }
  }
}

TEST(Restricted, GivesTheBitsOfSingleColumns) {
  for (const int channels : {5, 16, 48}) {
    GraphBuilder g("columns");
    const ValueId image = g.input("image", {.channels = channels});
    g.output("conv",
             g.conv("conv", image, {.channels = 20, .kernel = 3, .stride = 2, .padding = 1}));
    g.output("twice",
             g.transposed_conv("twice", image, {.channels = 20, .kernel = 4, .padding = 1}));
    g.output("far", g.transposed_conv("far", image,
                                      {.channels = 12, .kernel = 16, .stride = 8, .padding = 4}));
    const Graph graph = std::move(g).build();
    const Shape shape{1, channels, 23, 14};
    const Tensor input = random_input(shape);
    ParameterStore parameters = random_parameters(graph, 1);
    const auto executor = make_cpu_executor();
    const auto whole = executor->plan(graph, parameters, {&shape, 1}, {});
    std::ranges::copy(input.values(), whole->input().values().begin());
    whole->forward();
    for (const char* output : {"conv", "twice", "far"}) {
      const ConstTensorView all = whole->output(output);
      for (std::int64_t x = 0; x < all.shape.w(); ++x) {
        const Region wanted{{x % 5, all.shape.h() - x % 3}, {x, x + 1}};
        const auto part = restricted(graph, shape, output, wanted, executor->grid());
        expect_bits(*executor, graph, parameters, input, *part, output, wanted, all);
      }
    }
  }
}

/// DeepLab v3+'s decoder: a map of stride 16 magnified beside another of stride 4, which are then
/// filtered and projected; `cropped`: the map of a picture with a margin; `padded`: the depthwise
/// convolution's padding stands before it.
Graph magnified_decoder(bool cropped, bool padded, int channels) {
  GraphBuilder g("magnified_decoder");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId fit = g.pad("fit", image, {.mode = PadMode::mirror, .multiple = 16});
  const ValueId low = g.conv("low", fit, {.channels = 12, .stride = 4});
  const ValueId wide = cropped ? g.pad("margin", fit, {.margin = 16}) : fit;
  const ValueId deep = g.conv(
      "deep", wide, {.channels = channels, .stride = 16, .activation = ActivationKind::relu});
  ValueId up = g.resize("up", g.dropout("drop", deep, {.rate = 0.1f}), {.scale = 4});
  if (cropped) up = g.crop_like("crop", up, low, {.offset = 4});
  ValueId both = g.concat("both", {up, low});
  if (padded) both = g.pad("zeros", both, {.margin = 1});
  const ValueId filtered = g.conv("depthwise", both,
                                  {.channels = channels + 12,
                                   .kernel = 3,
                                   .padding = padded ? 0 : 1,
                                   .groups = channels + 12,
                                   .bias = false});
  const ValueId x = g.relu(
      "relu", g.batch_norm("norm", g.conv("pointwise", filtered, {.channels = 34, .bias = false})));
  const ValueId scores = g.resize("score", g.conv("head", x, {.channels = 3}), {.scale = 4});
  g.output("logits", g.crop_like("logits", scores, image));
  return std::move(g).build();
}

// Where the product is done for the taps of a smaller map, and where a part of it alone is.
TEST(Restricted, GivesTheBitsOfProductsBeforeTheMagnification) {
  for (const auto& [cropped, padded] :
       {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
    for (const int channels : {57, 160}) {
      const Graph graph = magnified_decoder(cropped, padded, channels);
      const auto executor = make_cpu_executor();
      EXPECT_EQ(compare_regions(*executor, graph, {1, 3, 75, 110}, "logits", 12), 12);
    }
  }
}

std::vector<EngineCase> one_picture_cases() {
  std::vector<EngineCase> cases = engine_cases();
  std::erase_if(cases, [](const EngineCase& tested) { return tested.inputs.size() != 1; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cases, RestrictedCase, testing::ValuesIn(one_picture_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
