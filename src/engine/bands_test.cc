// Networks run band by band held to the whole ones, bit for bit.
#include "graph/bands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/random.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"
#include "engine/mirror.h"
#include "graph/graph.h"
#include "graph/group_phases.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Tensor random_input(const Shape& shape) {
  Tensor tensor(shape);
  RandomStream random(7, 0, 0);
  for (float& value : tensor.values()) value = static_cast<float>(random.normal());
  return tensor;
}

/// What band `band` reads of the picture.
void copy_rows(const Tensor& picture, const BandedGraph& bands, std::int64_t band, TensorView to) {
  const std::int64_t first = bands.input.y.begin + band * bands.rows;
  for (std::int64_t c = 0; c < to.shape.c(); ++c) {
    for (std::int64_t y = 0; y < to.shape.h(); ++y) {
      const std::int64_t at = first + y;
      const bool is_there = at >= 0 && at < bands.height + bands.mirrored;
      for (std::int64_t x = 0; x < to.shape.w(); ++x) {
        to(0, c, y, x) =
            is_there ? picture(0, c, mirror_index(at, bands.height), bands.input.x.begin + x)
                     : 0.0f;
      }
    }
  }
}

/// All bands from the one of row `from` on, against the whole.
void expect_bits(Executor& executor, const Graph& graph, ParameterStore& parameters,
                 const Tensor& picture, const BandedGraph& bands, const std::string& output,
                 Interval columns, std::int64_t from, ConstTensorView whole) {
  const Shape shape{1, picture.shape().c(), bands.input.y.size(), bands.input.x.size()};
  const auto plan = executor.plan(bands.graph, parameters, {&shape, 1}, {.carried = bands.carried});
  const std::int64_t first = from / bands.rows;
  for (std::int64_t band = first - bands.before_band(first); band * bands.rows < whole.shape.h();
       ++band) {
    copy_rows(picture, bands, band, plan->input());
    plan->forward({.band = band});
    if (band < first) continue;
    const ConstTensorView rows = plan->output(output);
    ASSERT_EQ(rows.shape.h(), bands.rows);
    ASSERT_EQ(rows.shape.w(), columns.size());
    for (std::int64_t c = 0; c < rows.shape.c(); ++c) {
      for (std::int64_t y = 0; y < std::min(bands.rows, whole.shape.h() - band * bands.rows); ++y) {
        for (std::int64_t x = 0; x < columns.size(); ++x) {
          ASSERT_EQ(rows(0, c, y, x), whole(0, c, band * bands.rows + y, columns.begin + x))
              << graph.architecture << " band " << band << " of " << bands.rows << " rows, at " << y
              << "," << x << " of columns " << columns.begin << ".." << columns.end;
        }
      }
    }
  }
}

/// Whole width and a part of it, from the top and from the middle; returns whether bands work.
bool compare(Executor& executor, const Graph& graph, const Shape& shape, const std::string& output,
             std::int64_t rows) {
  const auto value = static_cast<std::size_t>(graph.output(output));
  if (infer_shapes(graph, {&shape, 1})[value].w() != shape.w()) return false;
  const Interval all{0, shape.w()}, part{shape.w() / 3, shape.w() - shape.w() / 4};
  if (!in_bands(graph, shape, output, all, rows, executor.grid())) return false;
  ParameterStore parameters = random_parameters(graph, 1);
  const Tensor picture = random_input(shape);
  const auto whole = executor.plan(graph, parameters, {&shape, 1}, {});
  std::ranges::copy(picture.values(), whole->input().values().begin());
  whole->forward();
  for (const Interval& columns : {all, part}) {
    const auto bands = in_bands(graph, shape, output, columns, rows, executor.grid());
    if (!bands) continue;
    for (const std::int64_t from : {std::int64_t{0}, shape.h() / 2}) {
      expect_bits(executor, graph, parameters, picture, *bands, output, columns, from,
                  whole->output(output));
      if (testing::Test::HasFatalFailure()) return true;
    }
  }
  return true;
}

class BandedCase : public testing::TestWithParam<EngineCase> {};

// Every operator and many small networks, in several bands, on both engines.
TEST_P(BandedCase, GivesTheBitsOfTheWhole) {
  const auto& [name, given, inputs, partial] = GetParam();
  for (const auto& executor : {make_reference_executor(), make_cpu_executor()}) {
    SCOPED_TRACE(executor->name());
    const Graph graph = with_group_phases(given, executor->grid());
    for (const Output& output : graph.outputs) {
      const std::int64_t unit = band_unit(graph, output.name, executor->grid());
      if (unit == 0 || unit > 48) continue;
      for (const std::int64_t height : {inputs[0].h(), 3 * unit + 5}) {
        const Shape shape{1, inputs[0].c(), height, inputs[0].w()};
        try {
          infer_shapes(graph, {&shape, 1});
        } catch (const Error&) {
          continue;  // a network of a few sizes
        }
        compare(*executor, graph, shape, output.name, unit);
        if (HasFatalFailure()) return;
      }
    }
  }
}

std::vector<EngineCase> of_one_input() {
  std::vector<EngineCase> cases = engine_cases();
  std::erase_if(cases, [](const EngineCase& tested) { return tested.inputs.size() != 1; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, BandedCase, testing::ValuesIn(of_one_input()),
                         [](const auto& info) { return info.param.name; });

/// Three poolings and the way back, for pictures of any size.
Graph small_unet(int width) {
  GraphBuilder g("small_unet");
  const ValueId image = g.input("image", {.channels = 3});
  ValueId x = g.pad("pad", image, {.mode = PadMode::mirror, .multiple = 8});
  int level = 0;
  const auto block = [&](const std::string& name, int channels) {
    for (const char* part : {".a", ".b"}) {
      x = g.conv(
          name + part, x,
          {.channels = channels, .kernel = 3, .padding = 1, .activation = ActivationKind::relu});
    }
  };
  std::vector<ValueId> skips;
  for (; level < 3; ++level) {
    block("down" + std::to_string(level), width << level);
    skips.push_back(x);
    x = g.max_pool("pool" + std::to_string(level), x, {});
  }
  block("bottom", width << level);
  while (level-- > 0) {
    const std::string name = "up" + std::to_string(level);
    x = g.transposed_conv(name, x, {.channels = width << level});
    x = g.concat(name + ".join", {skips[static_cast<std::size_t>(level)], x});
    block(name, width << level);
  }
  g.output("logits", g.crop_like("crop", g.conv("head", x, {.channels = 3}), image));
  return std::move(g).build();
}

// Skips of many rows, sizes that are no multiples, wide enough for all kernels.
TEST(Bands, OfUnetsGiveTheBitsOfTheWhole) {
  const auto executor = make_cpu_executor();
  const Graph graph = with_group_phases(small_unet(16), executor->grid());
  const std::int64_t unit = band_unit(graph, "logits", executor->grid());
  EXPECT_EQ(unit, 48);
  for (const std::int64_t height : {144, 230}) {
    for (const std::int64_t times : {1, 2}) {
      EXPECT_TRUE(compare(*executor, graph, {1, 3, height, 150}, "logits", times * unit));
      if (HasFatalFailure()) return;
    }
  }
}

// The last window of a pool that rounds up would hold a row that is not there.
TEST(Bands, OfPoolsThatRoundUp) {
  GraphBuilder g("ceil");
  const ValueId image = g.input("image", {.channels = 3});
  const auto conv = [&](const std::string& name, ValueId x) {
    return g.relu(name + ".relu", g.conv(name, x, {.channels = 8, .kernel = 3, .padding = 1}));
  };
  const ValueId pooled = g.max_pool("pool", conv("a", image), {.ceil = true});
  const ValueId up = g.transposed_conv("up", conv("b", pooled), {.channels = 3});
  g.output("logits", g.crop_like("fit", up, image, {}));
  const Graph graph = std::move(g).build();
  for (const auto& executor : {make_reference_executor(), make_cpu_executor()}) {
    const std::int64_t unit = band_unit(graph, "logits", executor->grid());
    EXPECT_TRUE(compare(*executor, graph, {1, 3, 4 * unit, 20}, "logits", unit));
    EXPECT_FALSE(compare(*executor, graph, {1, 3, 4 * unit + 1, 20}, "logits", unit));
  }
}

TEST(Bands, RowsMustBeMultiplesOfStridesAndGroups) {
  const Graph graph = small_unet(8);
  const Shape picture{1, 3, 64, 64};
  EXPECT_EQ(band_unit(graph, "logits", {}), 8);
  EXPECT_TRUE(in_bands(graph, picture, "logits", {0, 64}, 8));
  EXPECT_FALSE(in_bands(graph, picture, "logits", {0, 64}, 12));
  const ConvolutionGrid sixes{.pixels = 6};
  EXPECT_EQ(band_unit(graph, "logits", sixes), 48);
  EXPECT_FALSE(in_bands(graph, picture, "logits", {0, 64}, 8, sixes));
}

// Nothing is computed twice: what a band makes of a value is its share of the rows.
TEST(Bands, MakeEachRowOnce) {
  const Graph graph = small_unet(8);
  const auto bands = in_bands(graph, {1, 3, 64, 64}, "logits", {0, 64}, 16);
  ASSERT_TRUE(bands);
  const Shape input{1, 3, bands->input.y.size(), bands->input.x.size()};
  const std::vector<Shape> shapes = infer_shapes(bands->graph, {&input, 1});
  const auto rows_of = [&](const std::string& name) {
    const auto found = std::ranges::find(bands->graph.nodes, name, &Node::name);
    return shapes[static_cast<std::size_t>(found - bands->graph.nodes.begin())].h();
  };
  EXPECT_EQ(rows_of("down0.b"), 16);
  EXPECT_EQ(rows_of("down2.b"), 4);
  EXPECT_EQ(rows_of("bottom.b"), 2);
  EXPECT_EQ(rows_of("up0.a"), 16);
}

TEST(Bands, AreNotMadeOfWhatSeesAll) {
  GraphBuilder g("sees_all");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId x = g.conv("a", image, {.channels = 8, .kernel = 3, .padding = 1});
  g.output("logits", g.group_norm("norm", x, {.groups = 2}));
  EXPECT_FALSE(in_bands(std::move(g).build(), {1, 3, 64, 64}, "logits", {0, 64}, 16));
}

}  // namespace
}  // namespace segmentum
