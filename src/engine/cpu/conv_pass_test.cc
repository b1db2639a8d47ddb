#include "engine/cpu/conv_pass.h"

#include <gtest/gtest.h>

#include "engine/cpu/packed_weights.h"
#include "engine/cross_check.h"

namespace segmentum::cpu {
namespace {

/// The tile of a convolution of this dilation, of 32 to 32 channels, beside which stands a global
/// mean or nothing.
int tile_of(int dilation, bool mean, Mode mode = Mode::infer) {
  GraphBuilder g("test");
  const ValueId x = g.input("image", {.channels = 32});
  const ValueId y =
      g.conv("conv", x, {.channels = 32, .kernel = 3, .dilation = dilation, .padding = dilation});
  g.output("logits", mean ? g.multiply("gated", y, g.global_average_pool("mean", x)) : y);
  const Graph graph = std::move(g).build();
  ParameterStore parameters = random_parameters(graph, 1);
  PackedWeightCache weights;
  Gradients gradients;
  const Shape shape{1, 32, 33, 33};
  const Lowering lowering(graph, parameters, {&shape, 1}, {.mode = mode}, {}, weights, gradients);
  const auto& conv = std::get<op::Conv>(graph.node(y).op);
  const ConvGeometry geometry = geometry_of(conv, shape, shape);
  EXPECT_TRUE(winograd_pays(lowering, geometry));
  return winograd_tile(lowering, y, geometry);
}

TEST(WinogradTile, IsOfSixAtRateSixWhereNobodyCutsThePicture) {
  EXPECT_EQ(tile_of(6, true), 6);
  EXPECT_EQ(tile_of(6, false), 4);
  EXPECT_EQ(tile_of(6, true, Mode::train), 4);
  EXPECT_EQ(tile_of(4, true), 4);
  EXPECT_EQ(tile_of(1, true), 6);
  EXPECT_EQ(tile_of(1, false), 6);
}

}  // namespace
}  // namespace segmentum::cpu
