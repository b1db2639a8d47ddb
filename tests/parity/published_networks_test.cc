// The networks of torchvision and segmentation_models.pytorch give PyTorch's logits:
// tests/golden/networks.json, written by tests/golden/make_network_goldens.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "engine/executor.h"
#include "golden_network.h"
#include "models/registry.h"

namespace segmentum {
namespace {

using Json = nlohmann::json;

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

/// The errors of all outputs of `graph` at the size of the stored case.
std::map<std::string, double> errors(Executor& engine, const Graph& graph,
                                     ParameterStore& parameters, const Json& at_size) {
  const Shape shape{1, 3, at_size.at("h"), at_size.at("w")};
  const auto plan = engine.plan(graph, parameters, {&shape, 1}, {});
  fill(plan->input().values(), "image", 0, 2);
  plan->forward();
  EXPECT_EQ(graph.outputs.size(), at_size.at("outputs").size());
  std::map<std::string, double> result;
  for (const auto& [name, wanted] : at_size.at("outputs").items()) {
    const ConstTensorView have = plan->output(name);
    const std::int64_t classes = graph.node(graph.output(name)).channels;
    EXPECT_EQ(have.shape, (Shape{1, classes, shape.h(), shape.w()}));
    result[name] = largest_error(have, wanted);
  }
  return result;
}

/// Both sides sum products of floats through up to a hundred layers, in orders of their own.
constexpr double kTolerance = 1e-4;

void expect_golden(Executor& engine, const Graph& graph, ParameterStore& parameters,
                   const Json& at_size) {
  for (const auto& [output, error] : errors(engine, graph, parameters, at_size)) {
    EXPECT_LE(error, kTolerance) << output << " at " << at_size.at("h") << "x" << at_size.at("w");
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

Json golden_called(const std::string& title) {
  for (const Published& published : published_networks()) {
    if (published.golden.at("title") == title) return published.golden;
  }
  throw std::runtime_error("networks.json has no " + title);
}

class PublishedNetworks : public testing::TestWithParam<Published> {};

TEST_P(PublishedNetworks, AsPyTorch) {
  const Json& golden = GetParam().golden;
  const Graph graph = network_of(golden);
  expect_same_parameters(graph, golden);
  ParameterStore parameters = seeded_parameters(graph);
  const auto cpu = make_cpu_executor();
  for (const Json& at_size : golden.at("cases")) expect_golden(*cpu, graph, parameters, at_size);
}

INSTANTIATE_TEST_SUITE_P(Cases, PublishedNetworks, testing::ValuesIn(published_networks()),
                         [](const auto& tested) {
                           return tested.param.golden.at("title").template get<std::string>();
                         });

// The smallest one on plain loops too: it is the graph that agrees with PyTorch, not one engine.
TEST(PublishedNetworksOnReference, LrasppAsPyTorch) {
  const Json golden = golden_called("lraspp_mobilenet_v3_large");
  const Graph graph = network_of(golden);
  ParameterStore parameters = seeded_parameters(graph);
  const auto reference = make_reference_executor();
  for (const Json& at_size : golden.at("cases")) {
    if (at_size.at("h") > 65) continue;
    expect_golden(*reference, graph, parameters, at_size);
  }
}

// Names and shapes cannot tell the two rules of dilation apart, nor the two of magnifying: the
// goldens can.
TEST(PublishedNetworksWithAnothersRules, GiveOtherLogits) {
  const Json golden = golden_called("smp_deeplabv3plus_resnet18");
  const Graph graph = network_of(golden);
  ParameterStore parameters = seeded_parameters(graph);
  const auto cpu = make_cpu_executor();
  const auto error_with = [&](const auto& change) {
    Graph changed = graph;
    for (Node& node : changed.nodes) change(node);
    return errors(*cpu, changed, parameters, golden.at("cases").back()).at("logits");
  };
  EXPECT_LE(error_with([](Node&) {}), kTolerance);
  EXPECT_GT(error_with([](Node& node) {
              if (!node.name.starts_with("encoder.layer4.0.conv")) return;
              auto& conv = std::get<op::Conv>(node.op);
              conv.dilation = 2;
              conv.padding = 2;
            }),
            100 * kTolerance);
  EXPECT_GT(error_with([](Node& node) {
              if (auto* resize = std::get_if<op::Resize>(&node.op)) resize->align_corners = false;
            }),
            100 * kTolerance);
}

}  // namespace
}  // namespace segmentum
