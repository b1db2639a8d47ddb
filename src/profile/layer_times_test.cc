#include "profile/layer_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/layer_table.h"

namespace segmentum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A picture of 10x10 and one channel; a 3x3 convolution to 2 channels: 1800 multiply-adds,
// 20 numbers to learn.
class LayerTimes : public ::testing::Test {
 protected:
  LayerTimes() {
    GraphBuilder g("one");
    const ValueId x = g.input("image", {.channels = 1});
    g.output("logits", g.conv("conv", x, {.channels = 2, .kernel = 3, .padding = 1}));
    graph_ = std::move(g).build();
    const Shape input{1, 1, 10, 10};
    analysis_ = analyse(graph_, {&input, 1});
  }

  Graph graph_;
  Analysis analysis_;
  MachineBest best_{.vectors = "AVX2", .fma_gflops = 1, .copy_gbytes = 0.5, .triad_gbytes = 0.1};
};

TEST_F(LayerTimes, AddsUpTheFastestOfEachStep) {
  const std::vector<std::vector<StepTime>> runs{{{"conv", "direct", Pass::forward, 3e-6},
                                                 {"conv", "reorder", Pass::forward, 5e-6},
                                                 {"conv", "data", Pass::backward, 9e-6}},
                                                {{"conv", "direct", Pass::forward, 4e-6},
                                                 {"conv", "reorder", Pass::forward, 1e-6},
                                                 {"conv", "data", Pass::backward, 9e-6}}};
  const std::vector<LayerTime> layers = layer_times(runs, graph_, analysis_);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].name, "conv");
  EXPECT_EQ(layers[0].kernels, "direct + reorder");
  EXPECT_DOUBLE_EQ(layers[0].seconds, 4e-6);
  EXPECT_DOUBLE_EQ(layers[0].gflop, 2e-9 * 1800);
  EXPECT_DOUBLE_EQ(layers[0].gbytes, 4e-9 * (100 + 200 + 20));
  EXPECT_EQ(layers[1].pass, Pass::backward);
  EXPECT_DOUBLE_EQ(layers[1].gflop, 4e-9 * 1800);
  EXPECT_DOUBLE_EQ(layers[1].gbytes, 4e-9 * (2 * 100 + 200 + 2 * 20));
  EXPECT_DOUBLE_EQ(total_time(layers).seconds, 13e-6);
}

// A 1x1 convolution to 3 channels after it: 600 multiply-adds, 9 numbers to learn. What one makes
// for the other stays in the cache: 100 numbers are read, 300 written, 29 learnt.
TEST(LayersTogether, CountTheWorkOfAllAndTheBytesOfTheEnds) {
  GraphBuilder g("two");
  const ValueId x = g.input("image", {.channels = 1});
  const ValueId conv = g.conv("conv", x, {.channels = 2, .kernel = 3, .padding = 1});
  g.output("logits", g.conv("last", conv, {.channels = 3}));
  const Graph graph = std::move(g).build();
  const Shape input{1, 1, 10, 10};
  const StepTime step{"last", "both", Pass::forward, 1e-6, {"conv"}};
  const std::vector<LayerTime> layers = layer_times({{step}}, graph, analyse(graph, {&input, 1}));
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].name, "last");
  EXPECT_DOUBLE_EQ(layers[0].gflop, 2e-9 * (1800 + 600));
  EXPECT_DOUBLE_EQ(layers[0].gbytes, 4e-9 * (100 + 300 + 29));
}

// 3.6e-6 GFLOP at 1 GFLOP/s; 1.28e-6 GB at 0.5 GB/s.
TEST_F(LayerTimes, TheFloorIsPeakOrBandwidth) {
  const std::vector<LayerTime> layers =
      layer_times({{{"conv", "direct", Pass::forward, 7.2e-6}}}, graph_, analysis_);
  EXPECT_DOUBLE_EQ(layers[0].floor_seconds(best_), 3.6e-6);
  EXPECT_DOUBLE_EQ(layers[0].fma_share(best_), 0.5);
  best_.fma_gflops = 10;
  EXPECT_DOUBLE_EQ(layers[0].floor_seconds(best_), 2.56e-6);
  EXPECT_DOUBLE_EQ(floor_seconds(layers, best_), 2.56e-6);
}

TEST_F(LayerTimes, TheTableShowsWhatIsSlow) {
  std::vector<LayerTime> layers =
      layer_times({{{"conv", "direct", Pass::forward, 7.2e-6}}}, graph_, analysis_);
  EXPECT_THAT(layer_table(layers, best_, 9),
              testing::AllOf(HasSubstr("conv"), HasSubstr("50%"), HasSubstr("fastest of 9 runs"),
                             HasSubstr("1.0 GFLOP/s of multiply-adds (AVX2), 0.5 GB/s"),
                             Not(HasSubstr("a quarter of neither"))));
  layers[0].seconds = 1;
  EXPECT_THAT(layer_table(layers, best_, 9),
              HasSubstr("1 of 1 layers reach a quarter of neither: 1000.000 ms, 100.0%"));
}

TEST_F(LayerTimes, ReferenceLoopsAreNamed) {
  EXPECT_THAT(reference_steps({{"a", "jit:avx2", Pass::forward, 1}, {"b", "ref:any"}}),
              ElementsAre("b (ref:any)"));
}

}  // namespace
}  // namespace segmentum
