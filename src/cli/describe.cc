// segmentum describe: a network, layer by layer, and whether a model file is sound.
#include "graph/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/crf_arguments.h"
#include "cli/json_object.h"
#include "cli/network_request.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "graph/checkerboard.h"
#include "graph/rewrite.h"
#include "model_file/crf_json.h"
#include "model_file/model.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  NetworkRequest network;
  bool selftest = false;
  int threads = 0;
  std::string json;
};

constexpr int kSide = 256;  // of the picture that numbers are told for

const char* meaning_of_input(const std::optional<BoxCrop>& boxes) {
  return boxes ? "one box" : "";
}

/// Rows of numbers, one for each phase, as JSON.
template <typename Number>
std::string rows_json(const std::vector<Number>& numbers, Size2 phases) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const bool starts_row = i % static_cast<std::size_t>(phases.w) == 0;
    const std::string between = i == 0 ? "[" : starts_row ? "],[" : ",";
    const bool is_number = std::isfinite(static_cast<double>(numbers[i]));
    text += between + (is_number ? fmt::format("{}", numbers[i]) : "null");
  }
  return "[" + text + "]]";
}

JsonObject json_of(const UpsamplingPhases& phases) {
  const auto [least, most] = std::ranges::minmax(phases.overlap);
  JsonObject json;
  json.set("name", phases.node)
      .set("phases", JsonObject().set("height", phases.phases.h).set("width", phases.phases.w))
      .set("overlap", JsonObject()
                          .set("least", least)
                          .set("most", most)
                          .set_json("by_phase", rows_json(phases.overlap, phases.phases)));
  if (!phases.response.empty()) {
    const auto [weakest, strongest] = std::ranges::minmax(phases.response);
    json.set("response", JsonObject()
                             .set("least", weakest)
                             .set("most", strongest)
                             .set_json("by_phase", rows_json(phases.response, phases.phases)))
        .set("unevenness", phases.unevenness);
  }
  return json;
}

JsonObject json_of(const Graph& graph, const Shape& input,
                   const std::vector<UpsamplingPhases>& upsampling) {
  const std::vector<Shape> inputs(graph.inputs.size(), input);
  const Analysis analysis = analyse(graph, inputs);
  std::vector<JsonObject> layers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const NodeAnalysis& node = analysis.nodes[i];
    JsonObject& layer = layers.emplace_back();
    layer.set("name", graph.nodes[i].name)
        .set("operator", operator_text(graph.nodes[i].op))
        .set("output", node.shape.to_string())
        .set("parameters", node.parameters)
        .set("multiply_adds", node.multiply_adds);
    if (node.receptive_field) {
      layer.set("receptive_field", JsonObject()
                                       .set("height", node.receptive_field->h)
                                       .set("width", node.receptive_field->w));
    }
  }
  std::vector<JsonObject> steps;
  for (const UpsamplingPhases& phases : upsampling) steps.push_back(json_of(phases));
  return JsonObject()
      .set("architecture", graph.architecture)
      .set("input", input.to_string())
      .set("parameters", analysis.parameters)
      .set("multiply_adds", analysis.multiply_adds)
      .set("layers", layers)
      .set("upsampling", steps);
}

/// Bytes of activations while one such input is run, on as many threads as are set.
struct Activations {
  std::size_t labels = 0;  // where labels or probabilities are read
  std::size_t scores = 0;  // where scores of the picture's size are wanted as a whole
};

Activations activations(const Graph& graph, const ParameterStore& parameters, const Shape& input) {
  const std::string logits = "logits";
  GraphWithParameters net = optimise_for_inference(keep_outputs(graph, {&logits, 1}), parameters);
  std::vector<Shape> inputs(net.graph.inputs.size(), input);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    inputs[i][1] = net.graph.node(net.graph.inputs[i]).channels;
  }
  const auto bytes = [&](OutputForm form) {  // a plan in a workspace takes no memory until it runs
    return make_cpu_executor()
        ->plan(net.graph, net.parameters, inputs,
               {.outputs = form, .workspace = std::make_shared<Workspace>()})
        ->memory_bytes();
  };
  return {bytes(OutputForm::rows), bytes(OutputForm::whole)};
}

/// Memory depends on the shapes of parameters alone.
ParameterStore zero_parameters(const Graph& graph) {
  ParameterStore parameters;
  for (const ParameterSpec& spec : graph.parameters) {
    parameters.add(spec.name, spec.role, Tensor(spec.shape));
  }
  return parameters;
}

void print_activations(const Activations& bytes) {
  constexpr double kMebibyte = 1 << 20;
  std::cout << fmt::format(
      "memory           {:.1f} MiB of activations for labels, {:.1f} MiB for all scores, on {}\n",
      static_cast<double>(bytes.labels) / kMebibyte, static_cast<double>(bytes.scores) / kMebibyte,
      counted(threads(), "thread"));
}

JsonObject json_of(const Activations& bytes) {
  return JsonObject()
      .set("labels", static_cast<std::int64_t>(bytes.labels))
      .set("scores", static_cast<std::int64_t>(bytes.scores))
      .set("threads", threads());
}

/// How evenly the network magnifies: what can be said without weights, or with them.
void print_upsampling(const std::vector<UpsamplingPhases>& upsampling) {
  if (!upsampling.empty()) std::cout << '\n' << upsampling_table(upsampling);
}

void print_pairs(const char* title, const std::map<std::string, std::string>& pairs) {
  if (pairs.empty()) return;
  std::cout << '\n' << title << '\n';
  for (const auto& [name, value] : pairs) std::cout << fmt::format("  {:<26}{}\n", name, value);
}

std::string numbers(const std::vector<float>& values) {
  std::string text;
  for (float value : values) text += fmt::format("{}{:.4g}", text.empty() ? "" : ", ", value);
  return text;
}

void print_model(const Model& model) {
  std::cout << "\nclasses\n";
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    const auto& [name, colour] = model.classes[k];
    std::cout << fmt::format("  {:<4}#{:02x}{:02x}{:02x}  {}\n", k, colour.r, colour.g, colour.b,
                             name);
  }
  if (!model.preprocess.mean.empty()) {
    std::cout << fmt::format("\npre-processing\n  mean {}\n  deviation {}\n",
                             numbers(model.preprocess.mean), numbers(model.preprocess.std));
  }
  print_pairs("settings", model.settings);
  if (model.crf) std::cout << "\ncrf, for --crf\n  " << crf_text(*model.crf) << '\n';
  print_pairs("training", model.provenance);
}

int describe_architecture(const Request& request) {
  const UntrainedNetwork network = build_untrained(request.network);
  const Graph& graph = network.graph;
  const Shape input = request.network.input_shape(network.input_channels, network.boxes, kSide);
  const auto upsampling = upsampling_phases(graph);
  const Activations memory = activations(graph, zero_parameters(graph), input);
  std::cout << describe(graph, input, meaning_of_input(network.boxes));
  print_activations(memory);
  print_upsampling(upsampling);
  write_json(request.json,
             json_of(graph, input, upsampling).set("activation_bytes", json_of(memory)));
  return 0;
}

int describe_model(const Request& request) {
  const Model model = load_model(request.network.what);
  const Shape input = request.network.input_shape(model.preprocess.channels(), model.boxes, kSide);
  const auto upsampling = upsampling_phases(model.graph, &model.parameters);
  const Activations memory = activations(model.graph, model.parameters, input);
  std::cout << describe(model.graph, input, meaning_of_input(model.boxes));
  print_activations(memory);
  print_upsampling(upsampling);
  print_model(model);
  JsonObject json = json_of(model.graph, input, upsampling);
  json.set("activation_bytes", json_of(memory));
  std::vector<std::string> classes;
  for (const ClassInfo& info : model.classes) classes.push_back(info.name);
  json.set("classes", classes).set("settings", model.settings).set("training", model.provenance);
  if (model.crf) json.set("crf", json_of(*model.crf));
  write_json(request.json, json);
  return 0;
}

int test_model(const Request& request) {
  const Model model = load_model(request.network.what);
  const GoldenPair golden = load_golden_pair(request.network.what);
  const double error = golden_error(model, golden, *make_cpu_executor());
  const bool passed = error <= kGoldenTolerance;
  write_json(request.json, JsonObject()
                               .set("model", request.network.what)
                               .set("largest_difference", error)
                               .set("tolerance", kGoldenTolerance)
                               .set("passed", passed));
  const std::string difference = fmt::format(
      "the logits for its stored input differ by {:.2g} of their range from the stored "
      "ones, {} the tolerance of {:.0e}",
      error, passed ? "within" : "beyond", kGoldenTolerance);
  if (!passed) throw Error::in_file(request.network.what, "self-test failed: " + difference);
  std::cout << request.network.what << ": self-test passed: " << difference << '\n';
  return 0;
}

int run(const Request& request) {
  set_threads(request.threads);
  const NetworkRequest& network = request.network;
  if (request.selftest) {
    if (network.is_architecture() && !fs::exists(network.what)) {
      throw UsageError("--selftest checks a .segmentum file; " + network.what +
                       " is an architecture without weights");
    }
    network.refuse_options_of_architectures();
    return test_model(request);
  }
  if (!network.is_file()) return describe_architecture(request);
  network.refuse_options_of_architectures();
  return describe_model(request);
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  request->network.declare(
      arguments, "of the picture (default: 256x256, or the side of what is read of a box)");
  arguments.flag(request->selftest, "--selftest",
                 "run a model on its stored input, compare with its stored output");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return run(*request); };
}

}  // namespace

const Command kDescribeCommand{
    "describe", "layers, sizes, parameters, multiply-adds and receptive field of a network",
    "  segmentum describe unet --set width=32 depth=3 --size 360x480 --classes 11\n"
    "  segmentum describe runs/first/best.segmentum\n"
    "  segmentum describe --selftest runs/first/best.segmentum\n",
    declare};

}  // namespace segmentum
