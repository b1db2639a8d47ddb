#include "graph/analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

Analysis analysed(const Graph& graph, std::int64_t height, std::int64_t width) {
  const Shape shape{1, graph.node(graph.inputs[0]).channels, height, width};
  return analyse(graph, {&shape, 1});
}

const op::Conv k3x3{.channels = 4, .kernel = 3, .padding = 1};

// 1 -> 3 -> 5, pooled 6, a step is now two pixels: 6 + 2*2 = 10.
TEST(Analysis, StackByHand) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  const ValueId conv1 = g.conv("conv1", image, k3x3);
  const ValueId conv2 =
      g.conv("conv2", conv1, {.channels = 8, .kernel = 3, .padding = 1, .bias = false});
  const ValueId pool = g.max_pool("pool", g.batch_norm("bn", conv2));
  const ValueId conv3 =
      g.conv("conv3", pool, {.channels = 8, .kernel = 3, .padding = 1, .groups = 8});
  g.output("out", conv3);
  const Analysis a = analysed(std::move(g).build(), 12, 20);

  EXPECT_EQ(a.nodes[conv1].receptive_field, Size2(3));
  EXPECT_EQ(a.nodes[conv2].receptive_field, Size2(5));
  EXPECT_EQ(a.nodes[pool].receptive_field, Size2(6));
  EXPECT_EQ(a.nodes[conv3].receptive_field, Size2(10));
  EXPECT_EQ(a.nodes[conv2].output_stride->y, Ratio(1, 1));
  EXPECT_EQ(a.nodes[conv3].output_stride->x, Ratio(2, 1));
  EXPECT_EQ(a.nodes[conv3].shape, Shape({1, 8, 6, 10}));

  EXPECT_EQ(a.nodes[conv1].parameters, 4 * 3 * 9 + 4);
  EXPECT_EQ(a.nodes[conv2].parameters, 8 * 4 * 9);
  EXPECT_EQ(a.parameters, (4 * 3 * 9 + 4) + 8 * 4 * 9 + 16 + (8 * 9 + 8));  // bn learns 16
  EXPECT_EQ(a.nodes[conv1].multiply_adds, 12 * 20 * 4 * 3 * 9);
  EXPECT_EQ(a.nodes[conv3].multiply_adds, 6 * 10 * 8 * 9);
  EXPECT_EQ(a.nodes[pool].multiply_adds, 0);
  EXPECT_EQ(a.multiply_adds, 240 * 108 + 240 * 288 + 60 * 72);

  // Output pixel i stands for the input pixels 2i, 2i+1 and sees 2i-4 .. 2i+5.
  EXPECT_EQ(a.tile_halo, Padding(4));
  EXPECT_EQ(a.tile_multiple, Size2(2));
}

// Going up, every input pixel makes 2x2 outputs of 3 channels out of 8.
TEST(Analysis, TransposedConvolutionGoesUp) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 8});
  const ValueId up = g.transposed_conv("up", image, {.channels = 3});
  const ValueId more = g.resize("more", up, {.mode = Interpolation::nearest, .scale = 3});
  g.output("out", g.conv("conv", more, {.kernel = {3, 1}, .padding = {1, 0, 1, 0}}));
  const Analysis a = analysed(std::move(g).build(), 5, 7);
  EXPECT_EQ(a.nodes[up].multiply_adds, 5 * 7 * 8 * 3 * 4);
  EXPECT_EQ(a.nodes[up].output_stride->y, Ratio(1, 2));
  EXPECT_EQ(a.nodes[more].output_stride->x, Ratio(1, 6));
  EXPECT_EQ(a.nodes[more].receptive_field, Size2(1));
  // Three rows of the six-fold picture lie in one or in two input rows.
  EXPECT_EQ(a.nodes.back().receptive_field, Size2(2, 1));
  EXPECT_EQ(a.tile_halo, Padding(1, 0, 1, 0));
  EXPECT_EQ(a.tile_multiple, Size2(1));
}

/// A U-Net of one pooling. By hand: the last two 3x3 see p-2..p+2 of the upper level; these lie in
/// rows floor((p-2)/2) .. floor((p+2)/2) below, seen two further, pooled from 2i, 2i+1, and seen
/// two further above: p-8..p+9 for even p, p-9..p+8 for odd p.
Graph small_unet(const op::Resize* resize) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  const ValueId even = g.pad("pad", image, {.mode = PadMode::mirror, .multiple = 2});
  const ValueId top = g.conv("top2", g.conv("top1", even, k3x3), k3x3);
  const ValueId low = g.conv("low2", g.conv("low1", g.max_pool("pool", top), k3x3), k3x3);
  const ValueId up = resize ? g.resize_like("up", low, top, *resize)
                            : g.transposed_conv("up", low, {.channels = 4});
  const ValueId joined = g.concat("joined", {top, up});
  const ValueId out = g.conv("out2", g.conv("out1", joined, k3x3), k3x3);
  g.output("logits", g.crop_like("crop", out, image));
  return std::move(g).build();
}

TEST(Analysis, HaloOfASmallUnet) {
  const Analysis a = analysed(small_unet(nullptr), 9, 11);
  EXPECT_EQ(a.tile_halo, Padding(9));
  EXPECT_EQ(a.nodes.back().receptive_field, Size2(18));
  EXPECT_EQ(a.tile_multiple, Size2(2));
  EXPECT_EQ(a.nodes.back().output_stride, OutputStride{});
  EXPECT_EQ(a.nodes.back().shape, Shape({1, 4, 9, 11}));

  // Bilinear: even rows o also read row o/2 - 1, so even p see p-10 .. p+9, odd p p-9 .. p+10.
  const op::Resize bilinear;
  EXPECT_EQ(analysed(small_unet(&bilinear), 9, 11).tile_halo, Padding(10));
  // Aligned corners put the grid elsewhere in every picture size: no tile can reproduce it.
  const op::Resize corners{.align_corners = true};
  EXPECT_EQ(analysed(small_unet(&corners), 9, 11).tile_halo, std::nullopt);
}

// 9 rows are pooled to 4, and 4 resized to 9: the phase is another at every size.
TEST(Analysis, ResizeToAnOddSizeCannotBeTiled) {
  const auto halo = [](bool padded) {
    GraphBuilder g("test");
    const ValueId image = g.input("image", {});
    const ValueId x = padded ? g.pad("pad", image, {.multiple = 2}) : image;
    g.output("out", g.crop_like("crop", g.resize_like("up", g.max_pool("pool", x), x), image));
    return analysed(std::move(g).build(), 64, 64).tile_halo;
  };
  EXPECT_EQ(halo(false), std::nullopt);
  EXPECT_EQ(halo(true), Padding(2));
}

TEST(Analysis, PadToMultipleAsksForAlignedTiles) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {});
  const ValueId half = g.conv("half", image, {.kernel = 1, .stride = {2, 1}});
  g.output("out", g.pad("pad", half, {.multiple = 6}));
  EXPECT_EQ(analysed(std::move(g).build(), 12, 12).tile_multiple, Size2(12, 6));
}

TEST(Analysis, GlobalPoolingSeesTheWholePicture) {
  GraphBuilder g("test");
  const ValueId image = g.input("image", {.channels = 2});
  const ValueId mean = g.global_average_pool("mean", image);
  const ValueId gate = g.multiply("gate", image, mean);
  const ValueId spread = g.resize_like("spread", mean, image);
  g.output("out", g.concat("joined", {gate, spread}));
  const Analysis a = analysed(std::move(g).build(), 4, 4);
  EXPECT_EQ(a.nodes[mean].output_stride, std::nullopt);
  EXPECT_EQ(a.nodes[spread].output_stride, OutputStride{});
  EXPECT_EQ(a.nodes[gate].receptive_field, std::nullopt);
  EXPECT_EQ(a.nodes[spread].receptive_field, std::nullopt);
  EXPECT_EQ(a.tile_halo, std::nullopt);
}

// Long et al., CVPR 2015, table 1: FCN-VGG16 has a receptive field of 404 and a stride of 32.
TEST(Analysis, VggSixteenAsPublished) {
  GraphBuilder g("vgg16");
  ValueId x = g.input("image", {});
  int block = 0;
  for (const auto& [convs, channels] : {std::pair{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}}) {
    const std::string number = std::to_string(++block);
    for (int i = 1; i <= convs; ++i) {
      x = g.conv("conv" + number + "_" + std::to_string(i), x,
                 {.channels = channels, .kernel = 3, .padding = 1});
    }
    x = g.max_pool("pool" + number, x);
  }
  const ValueId pool5 = x;
  const ValueId fc6 = g.conv("fc6", pool5, {.channels = 4096, .kernel = 7, .padding = 3});
  g.output("fc7", g.conv("fc7", fc6, {.channels = 4096}));
  const Analysis a = analysed(std::move(g).build(), 224, 224);
  EXPECT_EQ(a.nodes[pool5].receptive_field, Size2(212));
  EXPECT_EQ(a.nodes.back().receptive_field, Size2(404));
  EXPECT_EQ(a.nodes.back().output_stride->y, Ratio(32, 1));
  EXPECT_EQ(a.tile_multiple, Size2(32));
  EXPECT_EQ(a.parameters, 14'714'688 + 102'764'544 + 16'781'312);  // convolutions, fc6, fc7
  std::int64_t convolutions = 0;
  for (ValueId id = 0; id <= pool5; ++id) convolutions += a.nodes[id].multiply_adds;
  EXPECT_EQ(convolutions, 15'346'630'656);  // the usual 15.3 G of VGG-16 at 224x224
}

TEST(Analysis, StridesBeyondSenseAreAnError) {
  GraphBuilder g("test");
  ValueId x = g.input("image", {});
  for (const char* name : {"a", "b"}) x = g.conv(name, x, {.stride = 1 << 20});
  g.output("out", x);
  const Graph graph = std::move(g).build();
  EXPECT_THROW(analysed(graph, 4, 4), Error);
}

}  // namespace
}  // namespace segmentum
