// What tests of the importer have in common: ONNX models by hand, and what networks make of rows.
#pragma once

#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "interop/onnx/testing.h"
#include "interop/testing.h"

namespace segmentum {

using Numbers = std::vector<float>;

inline OnnxAttribute whole(const std::string& name, std::int64_t number) {
  return attribute(name, number);
}
inline OnnxAttribute wholes(const std::string& name, std::vector<std::int64_t> numbers) {
  return attribute(name, std::move(numbers));
}

inline OnnxNetwork made(const OnnxModel& model) {
  return network_of(model, kTestBytes);
}

/// What the network makes of one row of pixels, for each channel one behind the other.
inline Numbers row(const OnnxModel& model, const Numbers& pixels) {
  const OnnxNetwork network = made(model);
  const std::int64_t c = network.graph.node(network.graph.inputs[0]).channels;
  return run_network(network, {1, c, 1, static_cast<std::int64_t>(pixels.size()) / c}, pixels);
}

inline std::string refusal(const OnnxModel& model) {
  return complaint([&] { made(model); });
}

inline void expect_near(const Numbers& have, const Numbers& expected) {
  constexpr float kRounding = 1e-5f;  // of a few operations on numbers around 1
  EXPECT_THAT(have, testing::Pointwise(testing::FloatNear(kRounding), expected));
}

}  // namespace segmentum
