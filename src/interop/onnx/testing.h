// Small ONNX models by hand, for tests.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "interop/onnx/onnx_emitter.h"
#include "interop/onnx/onnx_network.h"

namespace segmentum {

inline OnnxTensor real_tensor(const std::string& name, std::vector<std::int64_t> dims,
                              const std::vector<float>& numbers) {
  OnnxTensor tensor{.name = name, .type = OnnxType::f32, .dims = std::move(dims)};
  tensor.own_bytes.assign(reinterpret_cast<const char*>(numbers.data()),
                          numbers.size() * sizeof(float));
  return tensor;
}

inline OnnxTensor whole_tensor(const std::string& name, std::vector<std::int64_t> numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  return {.name = name, .type = OnnxType::i64, .dims = {count}, .wholes = std::move(numbers)};
}

inline OnnxNode onnx_node(const std::string& op, std::vector<std::string> inputs,
                          const std::string& output, std::vector<OnnxAttribute> attributes = {}) {
  return {.name = output + "_node",
          .op = op,
          .inputs = std::move(inputs),
          .outputs = {output},
          .attributes = std::move(attributes)};
}

inline OnnxValueInfo onnx_picture(const std::string& name, std::vector<OnnxDim> dims) {
  return {.name = name, .type = OnnxType::f32, .dims = std::move(dims)};
}

/// Reads "x" [batch,channels,height,width]; its last node makes the output.
inline OnnxModel onnx_model(int channels, std::vector<OnnxNode> nodes,
                            std::vector<OnnxTensor> tensors = {}, int opset = 17) {
  OnnxModel model{.ir_version = 8,
                  .producer = "tests",
                  .opsets = {{"", opset}},
                  .graph_name = "graph",
                  .nodes = std::move(nodes),
                  .initializers = std::move(tensors)};
  model.inputs.push_back(onnx_picture("x", {{-1, "n"}, {channels, ""}, {-1, "h"}, {-1, "w"}}));
  model.outputs.push_back({.name = model.nodes.back().outputs[0], .type = OnnxType::f32});
  return model;
}

/// Far above what such a model could hold.
inline constexpr std::uint64_t kTestBytes = 1 << 20;

/// The logits of an imported network for numbers of a picture [1,C,h,w].
inline std::vector<float> run_network(const OnnxNetwork& network, const Shape& shape,
                                      const std::vector<float>& numbers) {
  auto& parameters = const_cast<ParameterStore&>(network.parameters);
  const auto plan = make_reference_executor()->plan(network.graph, parameters, {&shape, 1}, {});
  std::ranges::copy(numbers, plan->input().data);
  plan->forward();
  const auto values = plan->output("logits").values();
  return {values.begin(), values.end()};
}

}  // namespace segmentum
