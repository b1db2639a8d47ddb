#include "graph/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

TEST(Describe, NumbersForPeople) {
  EXPECT_EQ(human_number(0), "0");
  EXPECT_EQ(human_number(730), "730");
  EXPECT_EQ(human_number(999), "999");
  EXPECT_EQ(human_number(1000), "1.00 k");
  EXPECT_EQ(human_number(1'946'881), "1.95 M");
  EXPECT_EQ(human_number(9'996'000), "10.0 M");
  EXPECT_EQ(human_number(12'400'000'000), "12.4 G");
  EXPECT_EQ(human_number(999'600), "1.00 M");
  EXPECT_EQ(human_number(INT64_MAX), "9.22 E");
}

TEST(Describe, OperatorsInWords) {
  EXPECT_EQ(operator_text(op::Conv{.channels = 64,
                                   .kernel = 3,
                                   .stride = 2,
                                   .padding = 1,
                                   .bias = false,
                                   .activation = ActivationKind::relu}),
            "conv 64, 3x3, stride 2, pad 1, no bias, relu");
  EXPECT_EQ(operator_text(op::Conv{.channels = 8, .kernel = {1, 5}, .padding = {0, 2, 0, 2}}),
            "conv 8, 1x5, pad 0 2 0 2");
  EXPECT_EQ(operator_text(op::BatchNorm{}), "batch_norm");
  EXPECT_EQ(operator_text(op::LayerNorm{}), "layer_norm");
  EXPECT_EQ(operator_text(op::Activate{ActivationKind::gelu}), "gelu");
  EXPECT_EQ(operator_text(op::Activate{{ActivationKind::leaky_relu, 0.2f}}), "leaky_relu 0.2");
  EXPECT_EQ(operator_text(op::MaxPool{}), "max_pool 2x2");
  EXPECT_EQ(operator_text(op::MaxPool{.kernel = 3, .padding = 1, .ceil = true}),
            "max_pool 3x3, stride 2, pad 1, ceil");
  EXPECT_EQ(operator_text(op::Resize{.scale = 2}), "resize x2, bilinear");
  EXPECT_EQ(operator_text(op::Resize{.scale = 3, .divisor = 4}), "resize x3/4, bilinear");
  EXPECT_EQ(operator_text(op::Maximum{}), "maximum");
  EXPECT_EQ(operator_text(op::Resize{.align_corners = true}),
            "resize to size, bilinear, align corners");
  EXPECT_EQ(operator_text(op::Pad{PadMode::mirror, 92, 16, 12}),
            "pad mirror, margin 92, to multiple of 16, plus 12");
  EXPECT_EQ(operator_text(op::Crop{.centre = true}), "crop centred");
  EXPECT_EQ(operator_text(op::Concat{}), "concat");
  EXPECT_EQ(operator_text(op::LocationGrid{}), "location_grid 10x10");
  EXPECT_EQ(operator_text(op::MeanField{}),
            "mean_field 5 iterations, spatial 3 px weight 3, bilateral 80 px 13 levels weight 10");
  EXPECT_EQ(operator_text(op::MeanField{
                .iterations = 1, .bilateral_weight = 0, .normalisation = CrfNormalisation::none}),
            "mean_field 1 iteration, spatial 3 px weight 3, normalisation none");
}

TEST(Describe, TableOfASmallNetwork) {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {});
  const ValueId conv = g.conv("conv1", image, {.channels = 16, .kernel = 3, .padding = 1});
  const ValueId pool = g.max_pool("pool", g.relu("relu1", conv));
  g.output("logits", g.resize("up", g.conv("head", pool, {.channels = 2}),
                              {.mode = Interpolation::nearest, .scale = 2}));
  // 16*3*9 + 16 parameters; 64*48*432 multiply-adds; the head 34 and 32*24*32.
  EXPECT_EQ(
      describe(std::move(g).build(), {1, 3, 64, 48}),
      R"(layer  operator             output        parameters  multiply-adds  receptive field  stride
image  input                3 x 64 x 48                                            1       1
conv1  conv 16, 3x3, pad 1  16 x 64 x 48         448         1.33 M                3       1
relu1  relu                 16 x 64 x 48                                           3       1
pool   max_pool 2x2         16 x 32 x 24                                           4       2
head   conv 2, 1x1          2 x 32 x 24           34         24.6 k                4       2
up     resize x2, nearest   2 x 64 x 48                                            4       1

output           logits 1x2x64x48
parameters       482 (482)
multiply-adds    1.35 M (1351680) for 1x3x64x48
tiles            at multiples of 2, with 2 pixels around
)");
}

TEST(Describe, GlobalNetworksSeeAll) {
  GraphBuilder g("global");
  g.output("logits", g.global_average_pool("mean", g.input("image", {})));
  const std::string text = describe(std::move(g).build(), {1, 3, 8, 8});
  EXPECT_THAT(text, testing::HasSubstr("all       -\n"));
  EXPECT_THAT(text, testing::HasSubstr("every pixel may see the whole picture"));
}

TEST(Describe, TellsWhatTheInputIs) {
  GraphBuilder g("crops");
  g.output("logits", g.conv("head", g.input("image", {}), {.channels = 2}));
  EXPECT_THAT(describe(std::move(g).build(), {1, 3, 8, 8}, "one box"),
              testing::HasSubstr("multiply-adds    384 (384) for 1x3x8x8: one box\n"));
}

TEST(Describe, TheInputMustFit) {
  GraphBuilder g("small");
  g.output("logits", g.conv("head", g.input("image", {}), {.channels = 2}));
  EXPECT_THROW(describe(std::move(g).build(), {1, 4, 8, 8}), Error);
}

}  // namespace
}  // namespace segmentum
