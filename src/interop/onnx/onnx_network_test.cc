#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "interop/onnx/network_testing.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(OnnxNetworks, Activations) {
  const Numbers x{-4, -1, 0, 1, 4, 8};
  const auto of = [&](const std::string& op, std::vector<OnnxAttribute> attributes = {}) {
    return row(onnx_model(1, {onnx_node(op, {"x"}, "y", std::move(attributes))}), x);
  };
  expect_near(of("Relu"), {0, 0, 0, 1, 4, 8});
  expect_near(of("LeakyRelu", {attribute("alpha", 0.5f)}), {-2, -0.5f, 0, 1, 4, 8});
  expect_near(of("HardSwish"), {0, -1.0f / 3, 0, 2.0f / 3, 4, 8});
  // max(0, min(1, 0.2 x + 0.5)), the operator's own default.
  expect_near(of("HardSigmoid"), {0, 0.3f, 0.5f, 0.7f, 1, 1});
  expect_near(of("HardSigmoid", {attribute("alpha", 1.0f / 6), attribute("beta", 0.0f)}),
              {0, 0, 0, 1.0f / 6, 4.0f / 6, 1});
  expect_near(of("Tanh"), {std::tanh(-4.0f), std::tanh(-1.0f), 0, std::tanh(1.0f), std::tanh(4.0f),
                           std::tanh(8.0f)});
  expect_near(of("Neg"), {4, 1, 0, -1, -4, -8});
}

TEST(OnnxNetworks, ClippingToAnyBounds) {
  const Numbers x{-4, -1, 0, 1, 4, 8};
  const auto clipped = [&](const std::string& low, const std::string& high) {
    return row(onnx_model(1, {onnx_node("Clip", {"x", low, high}, "y")},
                          {real_tensor("-1", {}, {-1}), real_tensor("0", {}, {0}),
                           real_tensor("2", {}, {2}), real_tensor("6", {}, {6})}),
               x);
  };
  expect_near(clipped("0", "6"), {0, 0, 0, 1, 4, 6});
  expect_near(clipped("-1", "2"), {-1, -1, 0, 1, 2, 2});
  expect_near(clipped("-1", ""), {-1, -1, 0, 1, 4, 8});
  expect_near(clipped("", "2"), {-4, -1, 0, 1, 2, 2});
  expect_near(clipped("", ""), x);
  // Before opset 11 the bounds were attributes, the largest number meaning none.
  expect_near(row(onnx_model(1,
                             {onnx_node("Clip", {"x"}, "y",
                                        {attribute("min", 0.0f), attribute("max", 3.4e38f)})},
                             {}, 9),
                  x),
              {0, 0, 0, 1, 4, 8});
}

TEST(OnnxNetworks, ScalesAndShiftsOfChannels) {
  const std::vector<OnnxTensor> numbers{real_tensor("two", {}, {2}),
                                        real_tensor("each", {1, 2, 1, 1}, {10, 20}),
                                        real_tensor("third", {2, 1, 1}, {4, 5})};
  const auto of = [&](const std::string& op, std::vector<std::string> inputs) {
    return row(onnx_model(2, {onnx_node(op, std::move(inputs), "y")}, numbers), {1, 2, 3, 4});
  };
  expect_near(of("Add", {"x", "two"}), {3, 4, 5, 6});
  expect_near(of("Mul", {"each", "x"}), {10, 20, 60, 80});
  expect_near(of("Sub", {"x", "third"}), {-3, -2, -2, -1});
  expect_near(of("Sub", {"third", "x"}), {3, 2, 2, 1});
  expect_near(of("Div", {"x", "two"}), {0.5f, 1, 1.5f, 2});
  EXPECT_THAT(refusal(onnx_model(2, {onnx_node("Div", {"two", "x"}, "y")}, numbers)),
              AllOf(HasSubstr("node \"y_node\" (Div) "), HasSubstr("divides by")));
  EXPECT_THAT(refusal(onnx_model(2, {onnx_node("Add", {"x", "map"}, "y")},
                                 {real_tensor("map", {1, 1, 4, 4}, Numbers(16))})),
              HasSubstr("a constant of 16 numbers; expected one for each channel"));
}

// (x / 255 - mean) / deviation, as networks that read bytes begin: three steps, two nodes.
TEST(OnnxNetworks, ScalesMeetButNotAcrossAShift) {
  const OnnxModel model =
      onnx_model(1,
                 {onnx_node("Div", {"x", "range"}, "a"), onnx_node("Sub", {"a", "mean"}, "b"),
                  onnx_node("Div", {"b", "std"}, "c"), onnx_node("Mul", {"c", "std"}, "d"),
                  onnx_node("Relu", {"d"}, "y")},
                 {real_tensor("range", {}, {4}), real_tensor("mean", {1, 1, 1, 1}, {0.5f}),
                  real_tensor("std", {}, {0.25f})});
  EXPECT_EQ(made(model).graph.nodes.size(), 3u);  // the picture, one scale and shift, the relu
  expect_near(row(model, {0, 2, 4}), {0, 0, 0.5f});
}

TEST(OnnxNetworks, SlopesOfChannels) {
  const auto of = [](std::vector<float> slopes) {
    const auto c = static_cast<std::int64_t>(slopes.size());
    return onnx_model(2, {onnx_node("PRelu", {"x", "slopes"}, "y")},
                      {real_tensor("slopes", {c, 1, 1}, slopes)});
  };
  expect_near(row(of({0.5f}), {-2, 2, -4, 4}), {-1, 2, -2, 4});
  expect_near(row(of({0.5f, -1}), {-2, 2, -4, 4}), {-1, 2, 4, 4});
}

TEST(OnnxNetworks, ValuesOfDifferentShapesMeet) {
  // The mean over the plane as a factor and as a summand; one channel beside two.
  const auto mean = onnx_node("GlobalAveragePool", {"x"}, "mean");
  expect_near(row(onnx_model(1, {mean, onnx_node("Mul", {"mean", "x"}, "y")}), {1, 3}), {2, 6});
  expect_near(row(onnx_model(1, {mean, onnx_node("Sub", {"x", "mean"}, "y")}), {1, 3}), {-1, 1});
  const auto one = onnx_node("Conv", {"x", "w"}, "one");
  expect_near(row(onnx_model(2, {one, onnx_node("Mul", {"x", "one"}, "y")},
                             {real_tensor("w", {1, 2, 1, 1}, {1, 1})}),
                  {1, 2, 3, 4}),
              {4, 12, 12, 24});
}

TEST(OnnxNetworks, ReduceMeanOverChannels) {
  const auto mean = onnx_node("ReduceMean", {"x"}, "mean", {wholes("axes", {1})});
  // Channels 1 and 5; 2 and 4.
  expect_near(row(onnx_model(2, {mean, onnx_node("Mul", {"x", "mean"}, "y")}), {1, 2, 5, 4}),
              {3, 6, 15, 12});
  expect_near(
      row(onnx_model(2, {mean, onnx_node("Concat", {"mean", "x"}, "y", {whole("axis", 1)})}),
          {1, 2, 5, 4}),
      {3, 3, 1, 2, 5, 4});
  expect_near(row(onnx_model(2, {mean, onnx_node("Relu", {"x"}, "r"),
                                 onnx_node("Sub", {"r", "mean"}, "y")}),
                  {1, 2, 5, 4}),
              {-2, -1, 2, 1});
}

TEST(OnnxNetworks, ReduceMeanOverThePlane) {
  const auto over = [](std::vector<std::int64_t> axes) {
    return onnx_model(1, {onnx_node("ReduceMean", {"x"}, "mean", {wholes("axes", std::move(axes))}),
                          onnx_node("Mul", {"x", "mean"}, "y")});
  };
  expect_near(row(over({-2, -1}), {1, 3}), {2, 6});
  EXPECT_THAT(refusal(over({0, 1})), HasSubstr("takes means, but neither over rows and columns"));
}

// depth_to_space deals channels 1, 2, 3, 4 out over a block of 2x2.
TEST(OnnxNetworks, ChannelsDealtOutOverBlocks) {
  for (const char* mode : {"DCR", "CRD"}) {
    const OnnxModel model =
        onnx_model(4, {onnx_node("MaxPool", {"x"}, "half",
                                 {wholes("kernel_shape", {2, 2}), wholes("strides", {2, 2})}),
                       onnx_node("DepthToSpace", {"half"}, "y",
                                 {whole("blocksize", 2), attribute("mode", mode)})});
    const OnnxNetwork network = made(model);
    Numbers pixels;
    for (const float channel : {1.0f, 2.0f, 3.0f, 4.0f}) pixels.insert(pixels.end(), 4, channel);
    expect_near(run_network(network, {1, 4, 2, 2}, pixels), {1, 2, 3, 4});
  }
}

// PyTorch's group norm: normalised as one plane for each group, then scaled for each channel.
OnnxModel group_norm_chain() {
  return onnx_model(
      2,
      {onnx_node("Reshape", {"x", "grouped"}, "groups"),
       onnx_node("InstanceNormalization", {"groups", "ones", "zeros"}, "normed",
                 {attribute("epsilon", 0.0f)}),
       onnx_node("Shape", {"x"}, "shape"), onnx_node("Reshape", {"normed", "shape"}, "back"),
       onnx_node("Mul", {"back", "norm.weight"}, "scaled"),
       onnx_node("Add", {"scaled", "norm.bias"}, "y")},
      {whole_tensor("grouped", {0, 1, -1}), real_tensor("ones", {1}, {1}),
       real_tensor("zeros", {1}, {0}), real_tensor("norm.weight", {2, 1, 1}, {1, 2}),
       real_tensor("norm.bias", {2, 1, 1}, {0, 5})});
}

TEST(OnnxNetworks, GroupNormOfPyTorch) {
  const OnnxNetwork network = made(group_norm_chain());
  EXPECT_EQ(network.graph.nodes.size(), 2u);
  EXPECT_EQ(network.graph.nodes[1].name, "norm");
  EXPECT_EQ(std::get<op::GroupNorm>(network.graph.nodes[1].op).groups, 1);
  // 1, 1, 3, 3: mean 2, deviation 1.
  expect_near(run_network(network, {1, 2, 1, 2}, {1, 1, 3, 3}), {-1, -1, 7, 7});
}

// 3, 3, 6, 9, 9 and their means over three.
TEST(OnnxNetworks, PaddingByTheEdge) {
  const OnnxModel model =
      onnx_model(1,
                 {onnx_node("Pad", {"x", "pads"}, "padded", {attribute("mode", "edge")}),
                  onnx_node("AveragePool", {"padded"}, "y", {wholes("kernel_shape", {1, 3})})},
                 {whole_tensor("pads", {0, 0, 0, 1, 0, 0, 0, 1})});
  expect_near(row(model, {3, 6, 9}), {4, 6, 8});
}

// --- parts of channels ---

TEST(OnnxNetworks, PartsOfChannels) {
  // Channels 1, 2, 3, 4 of one pixel.
  const Numbers x{1, 2, 3, 4};
  const auto joined = [&](std::vector<OnnxNode> nodes, std::vector<OnnxTensor> numbers) {
    nodes.push_back(onnx_node("Concat", {"b", "a"}, "y", {whole("axis", 1)}));
    return row(onnx_model(4, std::move(nodes), std::move(numbers)), x);
  };
  OnnxNode split = onnx_node("Split", {"x", "sizes"}, "a", {whole("axis", 1)});
  split.outputs.push_back("b");
  expect_near(joined({split}, {whole_tensor("sizes", {1, 3})}), {2, 3, 4, 1});
  split.inputs.pop_back();
  expect_near(joined({split}, {}), {3, 4, 1, 2});
  const std::vector<OnnxTensor> numbers{whole_tensor("zero", {0}), whole_tensor("one", {1}),
                                        whole_tensor("three", {3}), whole_tensor("end", {1 << 30})};
  expect_near(joined({onnx_node("Slice", {"x", "zero", "one", "one"}, "a"),
                      onnx_node("Slice", {"x", "three", "end", "one"}, "b")},
                     numbers),
              {4, 1});
  split.attributes = {whole("axis", 2)};
  EXPECT_THAT(refusal(onnx_model(4, {split, onnx_node("Add", {"a", "b"}, "y")})),
              HasSubstr("takes parts of the picture"));
  split.attributes = {whole("axis", 1), wholes("split", {1, 2})};
  EXPECT_THAT(refusal(onnx_model(4, {split, onnx_node("Add", {"a", "b"}, "y")})),
              HasSubstr("takes parts of [1,2] channels out of 4"));
}

TEST(OnnxNetworks, LinearLayersOnChannelsLast) {
  const OnnxModel model = onnx_model(
      2,
      {onnx_node("Transpose", {"x"}, "last", {wholes("perm", {0, 2, 3, 1})}),
       onnx_node("MatMul", {"last", "w"}, "product"), onnx_node("Add", {"product", "b"}, "sum"),
       onnx_node("Transpose", {"sum"}, "y", {wholes("perm", {0, 3, 1, 2})})},
      {real_tensor("w", {2, 3}, {1, 2, 3, 10, 20, 30}), real_tensor("b", {3}, {0.5f, 0, 0})});
  const OnnxNetwork network = made(model);
  EXPECT_EQ(network.graph.nodes.size(), 2u);  // the bias became the convolution's
  expect_near(run_network(network, {1, 2, 1, 1}, {1, 2}), {21.5f, 42, 63});
}

TEST(OnnxNetworks, LinearLayersAreCalledAfterTheirBias) {
  OnnxModel model = onnx_model(
      2,
      {onnx_node("Transpose", {"x"}, "last", {wholes("perm", {0, 2, 3, 1})}),
       onnx_node("MatMul", {"last", "onnx::MatMul_7"}, "/a/fc/MatMul_output_0"),
       onnx_node("Add", {"a.fc.bias", "/a/fc/MatMul_output_0"}, "sum"),
       onnx_node("Transpose", {"sum"}, "y", {wholes("perm", {0, 3, 1, 2})})},
      {real_tensor("onnx::MatMul_7", {2, 1}, {1, 2}), real_tensor("a.fc.bias", {1}, {3})});
  model.nodes[1].name = "/a/fc/MatMul";
  const Graph graph = made(model).graph;
  EXPECT_EQ(graph.nodes[1].name, "a.fc");
  EXPECT_EQ(graph.parameters[0].name, "a.fc.weight");
  EXPECT_EQ(graph.parameters[1].name, "a.fc.bias");
}

// Only a constant on the right is a matrix over channels.
TEST(OnnxNetworks, ProductsThatAreNoLinearLayers) {
  EXPECT_THAT(refusal(onnx_model(1, {onnx_node("MatMul", {"w", "x"}, "y")},
                                 {real_tensor("w", {1, 1}, {2})})),
              HasSubstr("has its constant on the left"));
  EXPECT_THAT(refusal(onnx_model(1, {onnx_node("MatMul", {"x", "x"}, "y")})),
              HasSubstr("multiplies two values of the network"));
}

TEST(OnnxNetworks, PicturesOfChannelsLast) {
  OnnxModel model =
      onnx_model(3, {onnx_node("Transpose", {"x"}, "first", {wholes("perm", {0, 3, 1, 2})}),
                     onnx_node("Relu", {"first"}, "y")});
  model.inputs[0] = onnx_picture("x", {{-1, "n"}, {-1, "h"}, {-1, "w"}, {3, ""}});
  const OnnxNetwork network = made(model);
  EXPECT_EQ(network.graph.node(network.graph.inputs[0]).channels, 3);
}

// --- sizes ---

/// Half the picture, and then what `nodes` make of "half".
OnnxModel from_half(std::vector<OnnxNode> nodes, std::vector<OnnxTensor> tensors = {},
                    int opset = 17) {
  nodes.insert(nodes.begin(),
               onnx_node("MaxPool", {"x"}, "half",
                         {wholes("kernel_shape", {2, 2}), wholes("strides", {2, 2})}));
  return onnx_model(1, std::move(nodes), std::move(tensors), opset);
}

const op::Resize& last_resize(const OnnxNetwork& network) {
  for (const Node& node : network.graph.nodes) {
    if (const auto* resize = std::get_if<op::Resize>(&node.op)) return *resize;
  }
  throw Error("the network has no resize");
}

// As F.interpolate(x, size=image.shape[-2:]) is exported.
TEST(OnnxNetworks, SizesOfAnotherValue) {
  const OnnxModel model = from_half(
      {onnx_node("Shape", {"x"}, "shape"), onnx_node("Shape", {"half"}, "half_shape"),
       onnx_node("Gather", {"shape", "two"}, "h"), onnx_node("Gather", {"shape", "three"}, "w"),
       onnx_node("Slice", {"half_shape", "zero", "two", "zero"}, "lead"),
       onnx_node("Concat", {"lead", "h", "w"}, "sizes", {whole("axis", 0)}),
       onnx_node("Cast", {"sizes"}, "sizes64", {whole("to", 7)}),
       onnx_node("Resize", {"half", "", "", "sizes64"}, "y",
                 {attribute("mode", "linear"),
                  attribute("coordinate_transformation_mode", "pytorch_half_pixel")})},
      {whole_tensor("zero", {0}), whole_tensor("two", {2}), whole_tensor("three", {3})});
  const OnnxNetwork network = made(model);
  EXPECT_EQ(last_resize(network).scale, 0);
  EXPECT_EQ(last_resize(network).mode, Interpolation::bilinear);
  EXPECT_EQ(network.graph.nodes.size(), 3u);
  EXPECT_THAT(network.notes, IsEmpty());
  // Maxima 1 and 4 of two pixels each, magnified by half-pixels: quarters in between.
  expect_near(run_network(network, {1, 1, 2, 4}, {1, 0, 4, 0, 0, 0, 0, 0}),
              {1, 1.75f, 3.25f, 4, 1, 1.75f, 3.25f, 4});
}

OnnxModel doubled(const char* mode, const char* position, const char* rounding = "floor") {
  return from_half(
      {onnx_node("Resize", {"half", "", "scales"}, "y",
                 {attribute("mode", mode), attribute("coordinate_transformation_mode", position),
                  attribute("nearest_mode", rounding)})},
      {real_tensor("scales", {4}, {1, 1, 2, 2})});
}

TEST(OnnxNetworks, FactorsWorkAtMultiples) {
  const OnnxNetwork network = made(doubled("linear", "align_corners"));
  EXPECT_EQ(last_resize(network).scale, 2);
  EXPECT_TRUE(last_resize(network).align_corners);
  EXPECT_THAT(network.notes, ElementsAre(HasSubstr("works at multiples of 2 pixels")));
  // A step edge, corners aligned: 0 and 3 with thirds in between.
  expect_near(run_network(network, {1, 1, 2, 4}, {0, 0, 3, 3, 0, 0, 3, 3}),
              {0, 1, 2, 3, 0, 1, 2, 3});
}

TEST(OnnxNetworks, NearestByAnyRuleThatMeansTheSame) {
  for (const auto& [position, rounding] :
       {std::pair("asymmetric", "floor"), std::pair("half_pixel", "round_prefer_floor"),
        std::pair("half_pixel", "round_prefer_ceil"), std::pair("tf_half_pixel_for_nn", "floor")}) {
    const OnnxNetwork network = made(doubled("nearest", position, rounding));
    expect_near(run_network(network, {1, 1, 2, 4}, {1, 0, 3, 0, 0, 0, 0, 0}),
                {1, 1, 3, 3, 1, 1, 3, 3});
  }
  EXPECT_THAT(refusal(doubled("nearest", "asymmetric", "ceil")),
              HasSubstr("takes other nearest pixels (asymmetric, ceil)"));
  EXPECT_THAT(refusal(doubled("linear", "asymmetric")),
              HasSubstr("interpolates by the rule \"asymmetric\""));
  EXPECT_THAT(refusal(doubled("cubic", "half_pixel")), HasSubstr("resizes by mode \"cubic\""));
}

TEST(OnnxNetworks, PadsUpToASize) {
  // What comes up is padded at the right and below to the picture: x's shape minus its own.
  const OnnxModel model = from_half(
      {onnx_node(
           "Resize", {"half", "", "scales"}, "up",
           {attribute("mode", "nearest"), attribute("coordinate_transformation_mode", "asymmetric"),
            attribute("nearest_mode", "floor")}),
       onnx_node("Shape", {"x"}, "to"), onnx_node("Shape", {"up"}, "from"),
       onnx_node("Sub", {"to", "from"}, "missing"),
       onnx_node("Concat", {"zeros", "missing"}, "pads", {whole("axis", 0)}),
       onnx_node("Pad", {"up", "pads"}, "padded"), onnx_node("Add", {"padded", "x"}, "y")},
      {real_tensor("scales", {4}, {1, 1, 2, 2}), whole_tensor("zeros", {0, 0, 0, 0})});
  const OnnxNetwork network = made(model);
  EXPECT_THAT(network.notes, IsEmpty());
  expect_near(run_network(network, {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
              {6, 7, 3, 9, 10, 6, 7, 8, 9});
}

TEST(OnnxNetworks, PadsUpToAMultiple) {
  // (-size) mod 4 at the right and below, as PyTorch's F.pad(x, [0, -w % 4, 0, -h % 4]).
  const OnnxModel model =
      onnx_model(1,
                 {onnx_node("Shape", {"x"}, "shape"), onnx_node("Neg", {"shape"}, "minus"),
                  onnx_node("Mod", {"minus", "four"}, "rest"),
                  onnx_node("Slice", {"rest", "two", "end", "zero"}, "plane"),
                  onnx_node("Concat", {"zeros", "plane"}, "pads", {whole("axis", 0)}),
                  onnx_node("Pad", {"x", "pads"}, "padded", {attribute("mode", "reflect")}),
                  onnx_node("MaxPool", {"padded"}, "small",
                            {wholes("kernel_shape", {4, 4}), wholes("strides", {4, 4})})},
                 {whole_tensor("four", {4}), whole_tensor("zero", {0}), whole_tensor("two", {2}),
                  whole_tensor("end", {4}), whole_tensor("zeros", {0, 0, 0, 0, 0, 0})});
  const OnnxNetwork network = made(model);
  const auto& pad = std::get<op::Pad>(network.graph.nodes[1].op);
  EXPECT_EQ(pad.multiple, 4);
  EXPECT_EQ(pad.mode, PadMode::mirror);
  EXPECT_THAT(network.notes, ElementsAre(HasSubstr("its logits are magnified 4 times")));
}

TEST(OnnxNetworks, CropsToTheCentre) {
  const auto cropped = [](std::int64_t begin, std::int64_t end) {
    return onnx_model(
        1,
        {onnx_node("Pad", {"x", "pads"}, "wide"), onnx_node("Conv", {"wide", "w"}, "conv"),
         onnx_node("Slice", {"conv", "begin", "end", "axes"}, "crop"),
         onnx_node("Add", {"crop", "x"}, "y")},
        {whole_tensor("pads", {0, 0, 2, 2, 0, 0, 2, 2}), real_tensor("w", {1, 1, 1, 1}, {1}),
         whole_tensor("begin", {begin, begin}), whole_tensor("end", {end, end}),
         whole_tensor("axes", {2, 3})});
  };
  const OnnxNetwork network = made(cropped(2, -2));
  expect_near(run_network(network, {1, 1, 1, 2}, {1, 2}), {2, 4});
  EXPECT_THAT(refusal(cropped(1, -2)), HasSubstr("no other value has that size"));
}

// Pixels that were cut off do not come back by padding.
TEST(OnnxNetworks, CutsAndPadsInTheirOrder) {
  const OnnxModel model =
      onnx_model(1,
                 {onnx_node("MaxPool", {"x"}, "inner", {wholes("kernel_shape", {3, 3})}),
                  onnx_node("Slice", {"x", "one", "minus", "axes"}, "cut"),
                  onnx_node("Add", {"cut", "inner"}, "sum"),
                  onnx_node("Slice", {"x", "one", "minus", "axes"}, "again"),
                  onnx_node("Pad", {"again", "pads"}, "y")},
                 {whole_tensor("one", {1, 1}), whole_tensor("minus", {-1, -1}),
                  whole_tensor("axes", {2, 3}), whole_tensor("pads", {0, 0, 1, 1, 0, 0, 1, 1})});
  expect_near(run_network(made(model), {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
              {0, 0, 0, 0, 5, 0, 0, 0, 0});
}

// --- beginnings and ends ---

TEST(OnnxNetworks, LabelsAndProbabilitiesAreLeftOff) {
  const auto ended = [](std::vector<OnnxNode> nodes, int channels = 2) {
    nodes.insert(nodes.begin(), onnx_node("Neg", {"x"}, "n"));
    return made(onnx_model(channels, std::move(nodes), {real_tensor("half", {}, {0.5f})}));
  };
  const auto soft = onnx_node("Softmax", {"n"}, "p", {whole("axis", 1)});
  const auto most = [](const char* of) {
    return onnx_node("ArgMax", {of}, "labels", {whole("axis", 1), whole("keepdims", 0)});
  };
  EXPECT_THAT(ended({soft}).notes, ElementsAre(HasSubstr("softmax at its end is left off")));
  EXPECT_THAT(ended({soft, most("p")}).notes,
              ElementsAre(HasSubstr("ArgMax"), HasSubstr("softmax")));
  EXPECT_THAT(ended({most("n"), onnx_node("Cast", {"labels"}, "y", {whole("to", 2)})}).notes,
              ElementsAre(HasSubstr("ArgMax at its end is left off")));
  EXPECT_THAT(
      ended({onnx_node("Sigmoid", {"n"}, "p"), onnx_node("Greater", {"p", "half"}, "y")}, 1).notes,
      ElementsAre(HasSubstr("Greater"), HasSubstr("sigmoid")));
  EXPECT_THAT(complaint([&] {
                ended({most("n"), onnx_node("Relu", {"labels"}, "y")});
              }),
              HasSubstr("reads what ArgMax makes; only the network's end may"));
}

TEST(OnnxNetworks, TheOutputMayBeNamed) {
  OnnxModel model = onnx_model(2, {onnx_node("Relu", {"x"}, "a"), onnx_node("Neg", {"x"}, "b")});
  model.outputs = {{.name = "a"}, {.name = "b"}};
  expect_near(run_network(network_of(model, kTestBytes, "b"), {1, 2, 1, 1}, {1, -2}), {-1, 2});
  EXPECT_THAT(network_of(model, kTestBytes).notes,
              ElementsAre(HasSubstr("the logits are its output \"a\"; left out: \"b\"")));
  EXPECT_THAT(complaint([&] { network_of(model, kTestBytes, "c"); }),
              HasSubstr("has no output \"c\"; it has \"a\", \"b\""));
}

TEST(OnnxNetworks, AStatedSizeIsNoted) {
  OnnxModel model = onnx_model(1, {onnx_node("Relu", {"x"}, "y")});
  model.inputs[0] = onnx_picture("x", {{1, ""}, {1, ""}, {20, ""}, {30, ""}});
  EXPECT_THAT(made(model).notes, ElementsAre(HasSubstr("it states a picture of 20x30")));
}

TEST(OnnxNetworks, SharedWeightsStayShared) {
  const OnnxModel model = onnx_model(
      1, {onnx_node("Conv", {"x", "c.weight"}, "a"), onnx_node("Conv", {"a", "c.weight"}, "b")},
      {real_tensor("c.weight", {1, 1, 1, 1}, {3})});
  const OnnxNetwork network = made(model);
  EXPECT_EQ(network.graph.parameters.size(), 1u);
  EXPECT_EQ(network.graph.parameters[0].name, "c.weight");
  expect_near(run_network(network, {1, 1, 1, 1}, {2}), {18});
}

TEST(OnnxNetworks, WhatWeLackIsNamedWithItsNode) {
  const auto alone = [](const std::string& op, std::vector<OnnxAttribute> attributes = {}) {
    return refusal(onnx_model(2, {onnx_node(op, {"x"}, "y", std::move(attributes))}));
  };
  EXPECT_THAT(alone("Elu"), "node \"y_node\" (Elu) is an operator that this program does not have");
  EXPECT_THAT(refusal(onnx_model(2, {onnx_node("Elu", {"x"}, "a"), onnx_node("Mish", {"a"}, "b"),
                                     onnx_node("LpPool", {"b"}, "y")})),
              HasSubstr("(Elu) is an operator that this program does not have; nor does it have "
                        "LpPool, Mish"));
  OnnxNode custom = onnx_node("Fancy", {"x"}, "y");
  custom.domain = "com.example";
  EXPECT_THAT(refusal(onnx_model(2, {custom})), HasSubstr("(com.example.Fancy) is an operator"));
  EXPECT_THAT(alone("MaxPool", {wholes("kernel_shape", {3, 3}), wholes("dilations", {2, 2})}),
              HasSubstr("is dilated"));
  EXPECT_THAT(alone("Transpose", {wholes("perm", {0, 1, 3, 2})}),
              HasSubstr("orders axes [0,1,3,2]"));
  EXPECT_THAT(
      refusal(onnx_model(2, {onnx_node("Pad", {"x", "p"}, "y", {attribute("mode", "wrap")})},
                         {whole_tensor("p", std::vector<std::int64_t>(8, 1))})),
      HasSubstr("pads by mode \"wrap\""));
  EXPECT_THAT(refusal(onnx_model(2, {onnx_node("Relu", {"nothing"}, "y")})),
              HasSubstr("reads \"nothing\", which nothing before it makes"));
  EXPECT_THAT(refusal(onnx_model(2, {onnx_node("Conv", {"x", "w"}, "y")},
                                 {real_tensor("w", {1, 3, 1, 1}, {1, 1, 1})})),
              HasSubstr("has weights of 1x3x1x1 in 1 group for 2 channels"));
}

TEST(OnnxNetworks, InputsThatAreNoPicture) {
  OnnxModel model = onnx_model(3, {onnx_node("Relu", {"x"}, "y")});
  model.inputs.push_back(onnx_picture("box", {{4, ""}}));
  EXPECT_THAT(refusal(model), HasSubstr("reads \"x\" and \"box\""));
  model.inputs.pop_back();
  model.inputs[0].dims->pop_back();
  EXPECT_THAT(refusal(model), HasSubstr("is no picture of four axes"));
  model.inputs[0] = onnx_picture("x", {{-1, "n"}, {-1, "c"}, {-1, "h"}, {-1, "w"}});
  EXPECT_THAT(refusal(model), HasSubstr("does not say how many channels"));
  model.inputs.clear();
  EXPECT_THAT(refusal(model), HasSubstr("has no input"));
  OnnxModel classifier =
      onnx_model(2, {onnx_node("GlobalAveragePool", {"x"}, "m"), onnx_node("Flatten", {"m"}, "y")});
  EXPECT_THAT(refusal(classifier), HasSubstr("makes no map of the picture"));
}

// A scalar of the file could ask for a weight for each of a million channels, node by node.
TEST(OnnxNetworks, WeightsAreBoundedByTheFile) {
  std::vector<OnnxNode> nodes{onnx_node("Add", {"x", "one"}, "y0")};
  for (int i = 1; i < 100; ++i) {
    nodes.push_back(
        onnx_node("Sub", {"one", "y" + std::to_string(i - 1)}, "y" + std::to_string(i)));
  }
  EXPECT_THAT(refusal(onnx_model(1 << 20, nodes, {real_tensor("one", {}, {1})})),
              HasSubstr("needs far more weights than the file holds"));
}

TEST(OnnxNetworks, NumbersThatAreNotFinite) {
  const OnnxModel model = onnx_model(1, {onnx_node("Conv", {"x", "c.weight"}, "y")},
                                     {real_tensor("c.weight", {1, 1, 1, 1}, {std::nanf("")})});
  EXPECT_THAT(refusal(model), HasSubstr("c.weight hold numbers that are not finite"));
}

}  // namespace
}  // namespace segmentum
