// Networks through ONNX: as PyTorch exports them (tests/golden/onnx, written by
// tests/golden/make_onnx_goldens.py), and every network of ours there and back. Where
// SEGMENTUM_ONNXRUNTIME names ONNX Runtime's library, it runs what we write, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "base/random.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"
#include "golden_network.h"
#include "graph/rewrite.h"
#include "interop/named_classes.h"
#include "interop/onnx/export_onnx.h"
#include "interop/onnx/import_onnx.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/onnx_runtime.h"
#include "interop/onnx/translation.h"
#include "network_cases.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::vector<std::string> kLogits{"logits"};
const fs::path kGoldens = fs::path(SEGMENTUM_SOURCE_DIR) / "tests/golden/onnx";

Tensor output_of(const Graph& graph, const ParameterStore& parameters, const Tensor& input) {
  auto& store = const_cast<ParameterStore&>(parameters);  // which inference does not change
  const auto plan = make_cpu_executor()->plan(graph, store, {&input.shape(), 1}, {});
  std::ranges::copy(input.values(), plan->input().data);
  plan->forward();
  const ConstTensorView result = plan->output(graph.outputs.at(0).name);
  Tensor copy(result.shape);
  std::ranges::copy(result.values(), copy.data());
  return copy;
}

Tensor logits_of(const Model& model, const Tensor& input) {
  return output_of(keep_outputs(model.graph, kLogits), model.parameters, input);
}

// --- as PyTorch exports them ---

struct Golden {
  Json json;
};

std::ostream& operator<<(std::ostream& out, const Golden& golden) {
  return out << golden.json.at("file");
}

std::vector<Golden> goldens() {
  std::ifstream file(kGoldens / "goldens.json");
  std::vector<Golden> all;
  for (Json& json : Json::parse(file)) all.push_back({std::move(json)});
  return all;
}

class OnnxGoldens : public testing::TestWithParam<Golden> {};

/// Both sides sum products of floats through some 20 layers, in orders of their own.
constexpr double kTolerance = 1e-4;

TEST_P(OnnxGoldens, AsPyTorch) {
  const Json& golden = GetParam().json;
  const fs::path file = kGoldens / (golden.at("file").get<std::string>() + ".onnx");
  if (golden.contains("says")) {
    try {
      import_onnx(file, {});
      FAIL() << "was imported";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(golden.at("says").get<std::string>()));
    }
    return;
  }
  const ImportedOnnx imported = import_onnx(file, {});
  const Graph& graph = imported.model.graph;
  const int channels = graph.node(graph.inputs[0]).channels;
  for (const Json& at_size : golden.at("cases")) {
    Tensor input({1, channels, at_size.at("h"), at_size.at("w")});
    fill(input.values(), "image", 0, 2);
    if (golden.at("samples") == "bytes") {
      for (float& value : input.values()) value = (value + 2) * (255.0f / 4);
    }
    const Tensor logits = logits_of(imported.model, input);
    EXPECT_EQ(logits.shape(), (Shape{1, golden.at("classes"), at_size.at("h"), at_size.at("w")}));
    EXPECT_LE(largest_error(logits.view(), at_size), kTolerance)
        << at_size.at("h") << "x" << at_size.at("w");
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, OnnxGoldens, testing::ValuesIn(goldens()), [](const auto& tested) {
  return tested.param.json.at("file").template get<std::string>();
});

// --- there and back ---

/// Weights in which every part matters.
ParameterStore parameters_of(const Graph& graph) {
  ParameterStore parameters = initialise(graph, 3);
  RandomStream random(5, 0, 0);
  for (const auto& [name, parameter] : parameters.all()) {
    if (parameter.role == ParameterRole::weight || parameter.role == ParameterRole::fixed_weight) {
      continue;
    }
    const bool is_scale = parameter.role == ParameterRole::norm_weight ||
                          parameter.role == ParameterRole::running_var;
    for (float& value : parameters.change(name).values()) {
      value = static_cast<float>(is_scale ? random.uniform(0.7, 1.3) : random.uniform(-0.2, 0.2));
    }
  }
  return parameters;
}

Model model_of(const NetworkCase& tested) {
  Model model;
  model.graph = graph_of(tested);
  model.parameters = parameters_of(model.graph);
  model.classes = numbered_classes(5);
  return model;
}

Tensor noise(const Shape& shape) {
  Tensor input(shape);
  RandomStream random(11, 0, 0);
  for (float& value : input.values()) value = static_cast<float>(random.normal());
  return input;
}

double difference(std::span<const float> have, std::span<const float> expected) {
  if (have.size() != expected.size()) return 1e9;
  const auto [low, high] = std::ranges::minmax(expected);
  double largest = 0;
  for (std::size_t i = 0; i < have.size(); ++i) {
    largest = std::max(largest, std::abs(double{have[i]} - double{expected[i]}));
  }
  return largest / (double{high} - double{low});
}

/// The same nodes run by the same kernels, but for what is put together from others.
constexpr double kSameNodes = 1e-5;

TEST(OnnxRuntime, IsThereForTheOthers) {
  if (!find_onnx_runtime()) GTEST_SKIP() << "no ONNX Runtime: nothing is compared with it";
}

class OnnxRoundTrip : public testing::TestWithParam<NetworkCase> {
 protected:
  OnnxRoundTrip()
      : model_(model_of(GetParam())),
        file_(fs::path(testing::TempDir()) /
              ("onnx_" + std::to_string(::getpid()) + "_" + GetParam().name + ".onnx")) {}
  void TearDown() override { fs::remove(file_); }

  void expect_same(const OnnxExportOptions& options, const std::vector<Shape>& shapes) {
    export_onnx(file_, model_, options);
    const ImportedOnnx back = import_onnx(file_, {});
    EXPECT_EQ(back.model.classes, model_.classes);
    EXPECT_EQ(back.model.preprocess, model_.preprocess);
    const auto runtime = find_onnx_runtime();
    const auto session = runtime ? runtime->open(file_) : nullptr;
    for (const Shape& shape : shapes) {
      const Tensor input = noise(shape);
      const Tensor expected = logits_of(model_, input);
      const Tensor have = logits_of(back.model, input);
      EXPECT_EQ(have.shape(), expected.shape());
      const double tolerance = options.fold_batch_norm ? kTolerance : kSameNodes;
      EXPECT_LE(difference(have.values(), expected.values()), tolerance) << shape.to_string();
      if (!session) continue;
      const RuntimeOutput theirs = session->run("image", input.view(), "logits");
      EXPECT_LE(difference(theirs.reals, expected.values()), kTolerance)
          << "ONNX Runtime, " << shape.to_string();
    }
  }

  Model model_;
  fs::path file_;
};

TEST_P(OnnxRoundTrip, AnySize) {
  expect_same({}, {{1, 3, 33, 47}, {2, 3, 17, 32}, {1, 3, 5, 3}});
}

TEST_P(OnnxRoundTrip, OldestOperatorsAndFoldedNorms) {
  expect_same({.opset = kLowestOnnxOpset, .fold_batch_norm = true}, {{1, 3, 33, 47}});
}

TEST_P(OnnxRoundTrip, OneSize) {
  expect_same({.opset = 13, .size = Size2(49, 63)}, {{1, 3, 49, 63}});
}

INSTANTIATE_TEST_SUITE_P(Cases, OnnxRoundTrip, testing::ValuesIn(network_cases()),
                         [](const auto& tested) { return tested.param.name; });

// --- every operator alone ---

std::vector<EngineCase> cases_of_one_input() {
  std::vector<EngineCase> all = engine_cases();
  std::erase_if(all, [](const EngineCase& tested) {
    return tested.inputs.size() != 1 || tested.graph.outputs.size() != 1;
  });
  return all;
}

class OnnxOperators : public testing::TestWithParam<EngineCase> {};

/// From opset 17 and 20 on, layer norms and GELU are single operators.
void expect_back(const EngineCase& tested, int opset) {
  const Graph& graph = tested.graph;
  const ParameterStore parameters = parameters_of(graph);
  const Tensor input = noise(tested.inputs[0]);
  const Tensor expected = output_of(graph, parameters, input);
  const fs::path file = fs::path(testing::TempDir()) / ("onnx_" + tested.name + ".onnx");
  write_onnx(file, onnx_of(graph, parameters, {}, {.opset = opset}));
  const OnnxFile opened(file);
  const Shape& shape = input.shape();
  Translation back(opened.model(),
                   {.probes = {Size2(static_cast<int>(shape.h()), static_cast<int>(shape.w()))},
                    .batch = static_cast<int>(shape.n()),
                    .file_bytes = opened.bytes()});
  const std::string& result = graph.outputs[0].name;
  back.output(result, back.settled(result, std::get<Seen>(back.value(result))).id);
  const auto [translated, numbers] = std::move(back).finished();
  const Tensor have = output_of(translated, numbers, input);
  EXPECT_EQ(have.shape(), expected.shape());
  EXPECT_LE(difference(have.values(), expected.values()), kSameNodes);
  if (const auto runtime = find_onnx_runtime()) {
    const std::string name = graph.node(graph.inputs[0]).name;
    const auto session = runtime->open(file);
    const RuntimeOutput theirs = session->run(name, input.view(), result);
    EXPECT_LE(difference(theirs.reals, expected.values()), kTolerance) << "ONNX Runtime";
  }
  fs::remove(file);
}

TEST_P(OnnxOperators, ThereAndBack) {
  for (const int opset : {13, 20}) {
    SCOPED_TRACE(opset);
    try {
      expect_back(GetParam(), opset);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("ONNX's pooling has another rule"));
      GTEST_SKIP() << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, OnnxOperators, testing::ValuesIn(cases_of_one_input()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
