// Layer norms and GELU as exporters write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "interop/onnx/network_testing.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// --- layer norms ---

OnnxNode to_last(const std::string& from, const std::string& to) {
  return onnx_node("Transpose", {from}, to, {wholes("perm", {0, 2, 3, 1})});
}
OnnxNode to_first(const std::string& from, const std::string& to) {
  return onnx_node("Transpose", {from}, to, {wholes("perm", {0, 3, 1, 2})});
}

// Two pixels of three channels: 1, 4, 7 and 14, 8, 2. Mean 4, variance 6; mean 8, variance 24. With
// epsilon 3 and 1 they are divided by 3 and 5.
const Numbers kTwoPixels{1, 14, 4, 8, 7, 2};

std::vector<OnnxTensor> norm_numbers(std::vector<std::int64_t> dims, float epsilon) {
  return {real_tensor("two", {}, {2}), real_tensor("epsilon", {}, {epsilon}),
          real_tensor("norm.weight", dims, {1, 2, 3}), real_tensor("norm.bias", dims, {0, 10, 20})};
}

void expect_layer_norm(const OnnxModel& model, float epsilon) {
  const OnnxNetwork network = made(model);
  ASSERT_EQ(network.graph.nodes.size(), 2u);
  const auto* norm = std::get_if<op::LayerNorm>(&network.graph.nodes[1].op);
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->epsilon, epsilon);
  EXPECT_EQ(network.graph.nodes[1].name, "norm");
  const float a = 3 / std::sqrt(6 + epsilon), b = 6 / std::sqrt(24 + epsilon);
  expect_near(run_network(network, {1, 3, 1, 2}, kTwoPixels),
              {-a, b, 10, 10, 20 + 3 * a, 20 - 3 * b});
}

TEST(OnnxChains, LayerNormalizationOfChannelsLast) {
  expect_layer_norm(
      onnx_model(3,
                 {to_last("x", "last"),
                  onnx_node("LayerNormalization", {"last", "norm.weight", "norm.bias"}, "normed",
                            {whole("axis", -1), attribute("epsilon", 3.0f)}),
                  to_first("normed", "y")},
                 norm_numbers({3}, 0)),
      3);
  const auto over_planes = onnx_model(
      3, {onnx_node("LayerNormalization", {"x", "norm.weight"}, "y", {whole("axis", 1)})},
      norm_numbers({3}, 0));
  EXPECT_THAT(refusal(over_planes), HasSubstr("is not over the channels of each pixel"));
}

/// The chain of opsets 11 to 16 on `in`, along `axis`; `end` is what divides.
std::vector<OnnxNode> norm_chain(const std::string& in, std::int64_t axis) {
  return {onnx_node("ReduceMean", {in}, "mean", {wholes("axes", {axis})}),
          onnx_node("Sub", {in, "mean"}, "centred"),
          onnx_node("Pow", {"centred", "two"}, "squared"),
          onnx_node("ReduceMean", {"squared"}, "variance", {wholes("axes", {axis})}),
          onnx_node("Add", {"variance", "epsilon"}, "above"),
          onnx_node("Sqrt", {"above"}, "deviation"),
          onnx_node("Div", {"centred", "deviation"}, "normed"),
          onnx_node("Mul", {"normed", "norm.weight"}, "scaled"),
          onnx_node("Add", {"scaled", "norm.bias"}, "shifted")};
}

TEST(OnnxChains, LayerNormAsAChainOnChannelsLast) {
  auto nodes = norm_chain("last", -1);
  nodes.insert(nodes.begin(), to_last("x", "last"));
  nodes.push_back(to_first("shifted", "y"));
  expect_layer_norm(onnx_model(3, nodes, norm_numbers({3}, 3), 11), 3);
}

// As ConvNeXt's own code has it: the difference is computed twice, and the scale stands first.
TEST(OnnxChains, LayerNormAsAChainOnChannelsFirst) {
  auto nodes = norm_chain("x", 1);
  nodes.insert(nodes.begin() + 6, onnx_node("Sub", {"x", "mean"}, "again"));
  nodes[7].inputs[0] = "again";
  std::swap(nodes[8].inputs[0], nodes[8].inputs[1]);
  expect_layer_norm(onnx_model(3, nodes, norm_numbers({3, 1, 1}, 1), 13), 1);
}

// x * rsqrt(variance), a square by multiplication, and the opset that takes axes as an input.
TEST(OnnxChains, LayerNormByAnInverseRoot) {
  auto nodes = norm_chain("x", 1);
  for (const std::size_t i : {std::size_t{0}, std::size_t{3}}) {
    nodes[i].attributes.clear();
    nodes[i].inputs.push_back("axes");
  }
  nodes[2] = onnx_node("Mul", {"centred", "centred"}, "squared");
  nodes[6] = onnx_node("Mul", {"centred", "inverse"}, "normed");
  nodes.insert(nodes.begin() + 6, onnx_node("Reciprocal", {"deviation"}, "inverse"));
  auto numbers = norm_numbers({3, 1, 1}, 3);
  numbers.push_back(whole_tensor("axes", {1}));
  expect_layer_norm(onnx_model(3, nodes, numbers, 18), 3);
}

TEST(OnnxChains, PartsOfALayerNormAloneAreRefused) {
  auto nodes = norm_chain("x", 1);
  nodes.resize(6);
  EXPECT_THAT(refusal(onnx_model(3, nodes, norm_numbers({3, 1, 1}, 3))),
              HasSubstr("makes no map of the picture"));
  nodes.push_back(onnx_node("Relu", {"deviation"}, "y"));
  EXPECT_THAT(refusal(onnx_model(3, nodes, norm_numbers({3, 1, 1}, 3))),
              AllOf(HasSubstr("node \"y_node\" (Relu) "),
                    HasSubstr("reads a part of what a layer norm is made of")));
  nodes.back() = onnx_node("Div", {"x", "deviation"}, "y");
  EXPECT_THAT(refusal(onnx_model(3, nodes, norm_numbers({3, 1, 1}, 3))),
              HasSubstr("reads a part of what a layer norm is made of"));
}

// --- GELU ---

TEST(OnnxChains, GeluInEveryOrder) {
  const float below = 0.8413447f;  // the normal distribution's share below 1
  const std::vector<OnnxTensor> numbers{
      real_tensor("root", {}, {1.41421356f}), real_tensor("inverse", {}, {0.70710678f}),
      real_tensor("one", {}, {1}), real_tensor("half", {}, {0.5f}), real_tensor("two", {}, {2})};
  const auto expect_gelu = [&](std::vector<OnnxNode> nodes) {
    const OnnxModel model = onnx_model(1, std::move(nodes), numbers);
    const OnnxNetwork network = made(model);
    ASSERT_EQ(network.graph.nodes.size(), 2u);
    EXPECT_EQ(std::get<op::Activate>(network.graph.nodes[1].op).activation,
              Activation(ActivationKind::gelu));
    expect_near(row(model, {-1, 0, 1}), {below - 1, 0, below});
  };
  const auto by_root = onnx_node("Div", {"x", "root"}, "u");
  const auto erf = onnx_node("Erf", {"u"}, "erf");
  const auto above = onnx_node("Add", {"erf", "one"}, "twice_below");
  expect_gelu({by_root, erf, above, onnx_node("Mul", {"x", "twice_below"}, "twice"),
               onnx_node("Mul", {"twice", "half"}, "y")});
  expect_gelu({onnx_node("Mul", {"x", "inverse"}, "u"), erf, above,
               onnx_node("Mul", {"x", "half"}, "halved"),
               onnx_node("Mul", {"halved", "twice_below"}, "y")});
  expect_gelu({by_root, erf, onnx_node("Add", {"one", "erf"}, "twice_below"),
               onnx_node("Div", {"twice_below", "two"}, "below"),
               onnx_node("Mul", {"below", "x"}, "y")});
  expect_gelu({onnx_node("Gelu", {"x"}, "y")});
  EXPECT_THAT(refusal(onnx_model(1, {by_root, erf, onnx_node("Relu", {"erf"}, "y")}, numbers)),
              HasSubstr("reads a part of what GELU is made of"));
}

// As PyTorch writes GELU by tanh, and as opset 20 does: x/2 (1 + tanh(0.7978846 (x + 0.044715
// x^3))), at 1 0.8411920.
TEST(OnnxChains, GeluByTanh) {
  const float at_one = 0.8411920f;
  expect_near(
      row(onnx_model(1, {onnx_node("Gelu", {"x"}, "y", {attribute("approximate", "tanh")})}),
          {-1, 0, 1}),
      {at_one - 1, 0, at_one});
  expect_near(
      row(onnx_model(
              1,
              {onnx_node("Pow", {"x", "three"}, "cube"), onnx_node("Mul", {"cube", "bend"}, "bent"),
               onnx_node("Add", {"x", "bent"}, "sum"), onnx_node("Mul", {"sum", "root"}, "inner"),
               onnx_node("Tanh", {"inner"}, "tanh"), onnx_node("Add", {"tanh", "one"}, "above"),
               onnx_node("Mul", {"x", "above"}, "twice"), onnx_node("Mul", {"twice", "half"}, "y")},
              {real_tensor("three", {}, {3}), real_tensor("bend", {}, {0.044715f}),
               real_tensor("root", {}, {0.7978846f}), real_tensor("one", {}, {1}),
               real_tensor("half", {}, {0.5f})}),
          {-1, 0, 1}),
      {at_one - 1, 0, at_one});
}

}  // namespace
}  // namespace segmentum
