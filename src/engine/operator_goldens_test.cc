// Every engine against what PyTorch computed for single operators: tests/golden/operators/*.json,
// written by tests/golden/make_operator_goldens.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/executor.h"

namespace segmentum {
namespace {

using Json = nlohmann::json;

struct Engine {
  const char* name;
  std::unique_ptr<Executor> (*make)();
};
constexpr Engine kEngines[] = {{"reference", make_reference_executor},
                               {"cpu", [] { return make_cpu_executor(); }}};

struct Golden {
  Engine engine;
  Json stored;
};

std::ostream& operator<<(std::ostream& out, const Golden& golden) {
  return out << golden.engine.name << " " << golden.stored.at("name");
}

Size2 size2(const Json& pair) {
  return {pair.at(0), pair.at(1)};
}

Padding padding(const Json& four) {
  return {four.at(0), four.at(1), four.at(2), four.at(3)};
}

ActivationKind activation_kind(const std::string& name) {
  for (int kind = 0;; ++kind) {
    if (name == activation_name(static_cast<ActivationKind>(kind))) {
      return static_cast<ActivationKind>(kind);
    }
  }
}

template <typename Pool>
Pool pool(const Json& s) {
  return {size2(s["kernel"]), size2(s["stride"]), padding(s["padding"]), s["ceil"]};
}

Operator make_operator(const std::string& name, const Json& s) {
  if (name == "conv") {
    return op::Conv{.channels = s["channels"],
                    .kernel = size2(s["kernel"]),
                    .stride = size2(s["stride"]),
                    .dilation = size2(s["dilation"]),
                    .padding = padding(s["padding"]),
                    .groups = s["groups"],
                    .bias = s["bias"]};
  }
  if (name == "transposed_conv") {
    return op::TransposedConv{.channels = s["channels"],
                              .kernel = size2(s["kernel"]),
                              .stride = size2(s["stride"]),
                              .padding = padding(s["padding"]),
                              .output_padding = size2(s["output_padding"]),
                              .groups = s["groups"],
                              .bias = s["bias"]};
  }
  if (name == "batch_norm") {
    return op::BatchNorm{.epsilon = s["epsilon"], .momentum = s["momentum"]};
  }
  if (name == "group_norm") return op::GroupNorm{s["groups"], s["epsilon"]};
  if (name == "layer_norm") return op::LayerNorm{s["epsilon"]};
  if (name == "activate") {
    return op::Activate{{activation_kind(s["kind"]), s.value("slope", 0.01f)}};
  }
  if (name == "max_pool") return pool<op::MaxPool>(s);
  if (name == "average_pool") {
    auto result = pool<op::AveragePool>(s);
    result.count_padding = s["count_padding"];
    return result;
  }
  if (name == "global_average_pool") return op::GlobalAveragePool{};
  if (name == "resize") {
    return op::Resize{s["mode"] == "nearest" ? Interpolation::nearest : Interpolation::bilinear,
                      s["align_corners"], s.value("scale", 0)};
  }
  if (name == "concat") return op::Concat{};
  if (name == "add") return op::Add{};
  if (name == "multiply") return op::Multiply{};
  if (name == "pad") {
    return op::Pad{.mode = s["mode"] == "mirror" ? PadMode::mirror
                           : s["mode"] == "edge" ? PadMode::edge
                                                 : PadMode::zero,
                   .margin = padding(s["margin"])};
  }
  if (name == "crop") {
    return op::Crop{s.value("centre", false), s.contains("offset") ? size2(s["offset"]) : 0};
  }
  if (name == "softmax") return op::Softmax{};
  if (name == "maximum") return op::Maximum{};
  if (name == "location_grid") return op::LocationGrid{s["grid"]};
  throw std::runtime_error("the golden files name an unknown operator: " + name);
}

Tensor tensor(const Json& stored) {
  const auto& extents = stored.at("shape");
  Shape shape;
  if (extents.size() == 1) shape = {extents[0]};
  if (extents.size() == 4) shape = {extents[0], extents[1], extents[2], extents[3]};
  Tensor result(shape);
  const auto values = stored.at("values").get<std::vector<float>>();
  EXPECT_EQ(values.size(), result.values().size());
  std::ranges::copy(values, result.data());
  return result;
}

std::vector<Tensor> tensors(const Json& stored) {
  std::vector<Tensor> result;
  for (const Json& item : stored) result.push_back(tensor(item));
  return result;
}

/// The inputs and the one node "node", whose value is the output "result".
Graph one_node_graph(const Operator& op, const std::vector<Tensor>& inputs) {
  Graph graph;
  Node node{"node", op, {}, {}, 0};
  std::vector<int> channels;
  for (const Tensor& input : inputs) {
    channels.push_back(static_cast<int>(input.shape().c()));
    const auto id = static_cast<ValueId>(graph.nodes.size());
    graph.nodes.push_back(
        {"input" + std::to_string(id), op::Input{channels.back()}, {}, {}, channels.back()});
    graph.inputs.push_back(id);
    node.inputs.push_back(id);
  }
  node.channels = output_channels(op, channels);
  graph.parameters = parameter_specs("node", op, channels[0]);
  for (std::size_t i = 0; i < graph.parameters.size(); ++i) {
    node.parameters.push_back(static_cast<int>(i));
  }
  graph.outputs.push_back({"result", static_cast<ValueId>(graph.nodes.size())});
  graph.nodes.push_back(std::move(node));
  validate(graph);
  return graph;
}

ParameterStore stored_parameters(const Graph& graph, const Json& stored) {
  ParameterStore store;
  for (const ParameterSpec& spec : graph.parameters) {
    store.add(spec.name, spec.role, tensor(stored.at(spec.name.substr(sizeof("node.") - 1))));
  }
  return store;
}

// Both sides sum at most about 500 float products in some order: an error of about
// sqrt(500) * 2^-24 = 1.4e-6 of the range, with room for an engine's own algorithm.
constexpr float kTolerance = 1e-5f;

void expect_near(ConstTensorView have, const Tensor& want, const std::string& what) {
  ASSERT_EQ(have.shape, want.shape()) << what;
  float range = 1e-3f;
  for (float value : want.values()) range = std::max(range, std::abs(value));
  EXPECT_THAT(have.values(),
              testing::Pointwise(testing::FloatNear(kTolerance * range), want.values()))
      << what;
}

std::vector<Golden> goldens() {
  std::vector<Golden> result;
  for (const char* family :
       {"convolution", "normalisation", "pointwise", "pooling", "resampling"}) {
    std::ifstream file(SEGMENTUM_SOURCE_DIR "/tests/golden/operators/" + std::string(family) +
                       ".json");
    for (const Json& stored : Json::parse(file)) {
      for (const Engine& engine : kEngines) result.push_back({engine, stored});
    }
  }
  return result;
}

class OperatorGoldens : public testing::TestWithParam<Golden> {};

TEST_P(OperatorGoldens, AsPyTorch) {
  const auto& [engine, stored] = GetParam();
  const std::vector<Tensor> inputs = tensors(stored.at("inputs"));
  const Graph graph = one_node_graph(make_operator(stored.at("op"), stored.at("settings")), inputs);
  ParameterStore parameters = stored_parameters(graph, stored.at("parameters"));
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  const bool train = stored.at("mode") != "infer";

  const auto executor = engine.make();
  const auto plan = executor->plan(graph, parameters, shapes,
                                   {.mode = train ? Mode::train : Mode::infer,
                                    .frozen_batch_norm = stored.at("mode") == "frozen",
                                    .input_gradients = train});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::ranges::copy(inputs[i].values(), plan->input(static_cast<int>(i)).data);
  }
  plan->forward();
  expect_near(plan->output("result"), tensor(stored.at("output")), "output");
  if (!train) return;

  std::ranges::copy(tensor(stored.at("output_gradient")).values(),
                    plan->output_gradient("result").data);
  plan->backward();
  const std::vector<Tensor> input_gradients = tensors(stored.at("input_gradients"));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expect_near(plan->input_gradient(static_cast<int>(i)), input_gradients[i],
                "gradient of input " + std::to_string(i));
  }
  for (const auto& [name, gradient] : stored.at("parameter_gradients").items()) {
    expect_near(std::as_const(plan->gradients().at("node." + name)).view(), tensor(gradient),
                "gradient of " + name);
  }
  for (const auto& [name, running] : stored.at("running").items()) {
    expect_near(parameters.value("node." + name).view(), tensor(running), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, OperatorGoldens, testing::ValuesIn(goldens()),
                         [](const auto& tested) {
                           return std::string(tested.param.engine.name) + "_" +
                                  tested.param.stored.at("name").template get<std::string>();
                         });

}  // namespace
}  // namespace segmentum
