#include "models/blocks.h"

#include <gtest/gtest.h>

#include "graph/describe.h"
#include "graph/parameter_store.h"

namespace segmentum {
namespace {

/// What `upsample` makes of 6 channels at factor 4, in words.
std::string made_by(const UpsampleOptions& options) {
  GraphBuilder g("up");
  const ValueId image = g.input("image", {.channels = 6});
  g.output("logits", upsample(g, "up", image, 4, options));
  const Graph graph = std::move(g).build();
  const Shape shape{1, 6, 5, 7};
  const auto shapes = infer_shapes(graph, {&shape, 1});
  EXPECT_EQ(shapes.back(), options.full ? Shape({1, 6, 24, 32}) : Shape({1, 6, 20, 28}));
  std::string text;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    text += graph.nodes[i].name + ": " + operator_text(graph.nodes[i].op) + "; ";
  }
  return text;
}

TEST(Upsample, EveryWay) {
  EXPECT_EQ(made_by({}), "up: transposed_conv 6, 8x8, stride 4, pad 2, no bias; ");
  EXPECT_EQ(made_by({.how = Upsampling::fixed}),
            "up: transposed_conv 6, 8x8, stride 4, pad 2, no bias, not learnt; ");
  EXPECT_EQ(made_by({.each_channel = true}),
            "up: transposed_conv 6, 8x8, stride 4, pad 2, groups 6, no bias; ");
  EXPECT_EQ(made_by({.full = true}), "up: transposed_conv 6, 8x8, stride 4, no bias; ");
  EXPECT_EQ(made_by({.how = Upsampling::bilinear}), "up: resize x4, bilinear; ");
  EXPECT_EQ(made_by({.how = Upsampling::bilinear, .align_corners = true}),
            "up: resize x4, bilinear, align corners; ");
  EXPECT_EQ(made_by({.how = Upsampling::nearest, .align_corners = true}),
            "up: resize x4, nearest; ");
  EXPECT_EQ(made_by({.how = Upsampling::nearest, .conv = true}),
            "up_resize: resize x4, nearest; up: conv 6, 3x3, pad 1; ");
}

// One at the centre of the kernel, from each channel to itself.
TEST(Upsample, ConvolutionsStartAsDoingNothing) {
  GraphBuilder g("up");
  g.output("logits", upsample(g, "up", g.input("image", {.channels = 2}), 2,
                              {.how = Upsampling::bilinear, .conv = true}));
  const ParameterStore start = initialise(std::move(g).build(), 1);
  const Tensor& weight = start.value("up.weight");
  for (int o = 0; o < 2; ++o) {
    for (int i = 0; i < 2; ++i) {
      for (int tap = 0; tap < 9; ++tap) {
        EXPECT_EQ(weight(o, i, tap / 3, tap % 3), o == i && tap == 4 ? 1 : 0);
      }
    }
  }
}

TEST(Upsample, FixedWeightsAreNotTrainable) {
  GraphBuilder g("up");
  g.output("logits",
           upsample(g, "up", g.input("image", {.channels = 2}), 2, {.how = Upsampling::fixed}));
  const Graph graph = std::move(g).build();
  EXPECT_EQ(graph.parameters[0].role, ParameterRole::fixed_weight);
  EXPECT_FALSE(is_trainable(graph.parameters[0].role));
}

}  // namespace
}  // namespace segmentum
