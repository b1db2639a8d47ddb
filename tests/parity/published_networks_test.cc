// The networks of torchvision and segmentation_models.pytorch give PyTorch's logits:
// tests/golden/networks.json, written by tests/golden/make_network_goldens.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "engine/executor.h"
#include "models/registry.h"

namespace segmentum {
namespace {

using Json = nlohmann::json;

/// FNV-1a of 32 bits.
std::uint32_t name_key(const std::string& text) {
  std::uint32_t key = 0x811C9DC5;
  for (unsigned char letter : text) key = (key ^ letter) * 0x01000193;
  return key;
}

/// Number `i` of the stream `key`, in [-1, 1): the script's `uniform`.
double uniform(std::uint32_t key, std::uint32_t i) {
  std::uint32_t x = key * 0x9E3779B1 + i * 0x85EBCA6B + 1;
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= x >> 15;
  x *= 0x846CA68B;
  x ^= x >> 16;
  return x / 0x1p31 - 1;
}

void fill(std::span<float> values, const std::string& name, double offset, double scale) {
  const std::uint32_t key = name_key(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(offset + scale * uniform(key, static_cast<std::uint32_t>(i)));
  }
}

Tensor seeded(const ParameterSpec& spec) {
  Tensor value(spec.shape);
  switch (spec.role) {
    case ParameterRole::weight: {
      const double fan_in =
          static_cast<double>(spec.shape.count()) / static_cast<double>(spec.shape[0]);
      fill(value.values(), spec.name, 0, std::sqrt(6 / fan_in));
      break;
    }
    case ParameterRole::norm_weight:
      fill(value.values(), spec.name, 0.75, 0.25);
      break;
    case ParameterRole::running_var:
      fill(value.values(), spec.name, 1, 0.25);
      break;
    default:
      fill(value.values(), spec.name, 0, 0.1);
  }
  return value;
}

ParameterStore seeded_parameters(const Graph& graph) {
  ParameterStore store;
  for (const ParameterSpec& spec : graph.parameters) store.add(spec.name, spec.role, seeded(spec));
  return store;
}

Graph network_of(const Json& golden) {
  return build_model(golden.at("network"),
                     {.classes = golden.at("classes"), .settings = golden.at("settings")});
}

/// The script's hash of all names and shapes; batch norms have their number of batches besides.
void expect_same_parameters(const Graph& graph, const Json& golden) {
  std::vector<std::string> lines;
  std::size_t batch_norms = 0;
  for (const ParameterSpec& spec : graph.parameters) {
    if (spec.role == ParameterRole::running_var) ++batch_norms;
    lines.push_back(spec.name + " " + spec.shape.to_string());
  }
  EXPECT_EQ(lines.size() + batch_norms, golden.at("tensors").get<std::size_t>());
  std::ranges::sort(lines);
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : "\n") + line;
  EXPECT_EQ(name_key(all), golden.at("names").get<std::uint32_t>());
}

/// Both sides sum products of floats through up to a hundred layers in orders of their own; what
/// that costs stays below 1e-4 of the range that the logits and zero span.
void expect_output(ConstTensorView have, const Json& golden, const std::string& what) {
  const auto wanted = golden.at("values").get<std::vector<float>>();
  const float low = golden.at("low"), high = golden.at("high");
  const float tolerance = 1e-4f * (std::max(high, 0.0f) - std::min(low, 0.0f));
  const auto values = have.values();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t at = i * values.size() / wanted.size();
    ASSERT_NEAR(values[at], wanted[i], tolerance) << what << " at " << at;
  }
  const auto [lowest, highest] = std::ranges::minmax(values);
  EXPECT_NEAR(lowest, low, tolerance) << what;
  EXPECT_NEAR(highest, high, tolerance) << what;
}

void expect_outputs(Executor& engine, const Graph& graph, ParameterStore& parameters,
                    std::int64_t classes, const Json& golden) {
  const Shape shape{1, 3, golden.at("h"), golden.at("w")};
  const auto plan = engine.plan(graph, parameters, {&shape, 1}, {});
  fill(plan->input().values(), "image", 0, 2);
  plan->forward();
  ASSERT_EQ(graph.outputs.size(), golden.at("outputs").size());
  for (const auto& [name, wanted] : golden.at("outputs").items()) {
    const ConstTensorView have = plan->output(name);
    ASSERT_EQ(have.shape, (Shape{1, classes, shape.h(), shape.w()}));
    expect_output(have, wanted, name + " of " + shape.to_string());
  }
}

struct Published {
  Json golden;
};

std::ostream& operator<<(std::ostream& out, const Published& published) {
  return out << published.golden.at("title");
}

std::vector<Published> published_networks() {
  std::ifstream file(SEGMENTUM_SOURCE_DIR "/tests/golden/networks.json");
  std::vector<Published> all;
  for (Json& golden : Json::parse(file)) all.push_back({std::move(golden)});
  return all;
}

class PublishedNetworks : public testing::TestWithParam<Published> {};

TEST_P(PublishedNetworks, AsPyTorch) {
  const Json& golden = GetParam().golden;
  const Graph graph = network_of(golden);
  expect_same_parameters(graph, golden);
  ParameterStore parameters = seeded_parameters(graph);
  const auto cpu = make_cpu_executor();
  for (const Json& at_size : golden.at("cases")) {
    expect_outputs(*cpu, graph, parameters, golden.at("classes"), at_size);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, PublishedNetworks, testing::ValuesIn(published_networks()),
                         [](const auto& tested) {
                           return tested.param.golden.at("title").template get<std::string>();
                         });

// The smallest one on plain loops too: it is the graph that agrees with PyTorch, not one engine.
TEST(PublishedNetworksOnReference, LrasppAsPyTorch) {
  for (const Published& published : published_networks()) {
    const Json& golden = published.golden;
    if (golden.at("network") != "lraspp_mobilenet_v3_large") continue;
    const Graph graph = network_of(golden);
    ParameterStore parameters = seeded_parameters(graph);
    const auto reference = make_reference_executor();
    for (const Json& at_size : golden.at("cases")) {
      if (at_size.at("h") > 65) continue;
      expect_outputs(*reference, graph, parameters, golden.at("classes"), at_size);
    }
  }
}

}  // namespace
}  // namespace segmentum
