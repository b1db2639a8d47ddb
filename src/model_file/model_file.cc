#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "base/random.h"
#include "engine/executor.h"
#include "graph/graph_json.h"
#include "model_file/crf_json.h"
#include "model_file/model.h"
#include "model_file/model_json.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr const char* kFormat = "segmentum model";
constexpr const char* kFormatVersion = "1";
constexpr const char* kGoldenInput = "golden.input";
constexpr const char* kGoldenLogits = "golden.logits";

/// The smallest of a few sizes that the network accepts; odd, so that all padding takes part.
Shape golden_shape(const Graph& graph) {
  const int channels = graph.node(graph.inputs[0]).channels;
  std::string reason;
  for (const auto& [h, w] : {std::pair(33, 41), std::pair(64, 64), std::pair(224, 224)}) {
    const Shape shape{1, channels, h, w};
    try {
      infer_shapes(graph, {&shape, 1});
      return shape;
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  throw Error("the network accepts none of the sizes tried for its golden pair: " + reason);
}

/// A network must label each pixel of its picture.
void require_logits_of_input_size(const Graph& graph) {
  const Shape input = golden_shape(graph);
  const auto shapes = infer_shapes(graph, {&input, 1});
  const Shape& logits = shapes[static_cast<std::size_t>(graph.output("logits"))];
  if (logits.h() != input.h() || logits.w() != input.w()) {
    throw Error("the network's logits for a picture of " + std::to_string(input.h()) + "x" +
                std::to_string(input.w()) + " pixels are of " + std::to_string(logits.h()) + "x" +
                std::to_string(logits.w()) + "; resize or crop them to the input in the graph");
  }
}

/// Everything that must hold between the parts of a model. Throws Error.
void require_consistent(const Model& model) {
  if (model.graph.inputs.size() != 1) {
    throw Error("the network has " + counted(model.graph.inputs.size(), "input") +
                "; a model file holds networks of one picture");
  }
  const int channels = model.graph.node(model.graph.inputs[0]).channels;
  const Preprocess& preprocess = model.preprocess;
  const auto usable = [](float mean, float std) {
    return std::isfinite(mean) && std::isfinite(std) && std > 0;
  };
  if (preprocess.channels() != channels || preprocess.std.size() != preprocess.mean.size() ||
      !std::ranges::equal(preprocess.mean, preprocess.std, usable)) {
    throw Error("the pre-processing needs a mean and a positive std for each of the " +
                counted(channels, "channel") + " that the network reads");
  }
  const int logits = model.graph.node(model.graph.output("logits")).channels;
  const bool background_has_none = logits == 1 || model.boxes.has_value();
  const std::size_t classes = static_cast<std::size_t>(logits) + (background_has_none ? 1 : 0);
  if (model.classes.size() != classes || classes > kIgnoreLabel) {
    throw Error("the network tells " + counted(classes, "class") + " apart, " +
                std::to_string(model.classes.size()) + " are named");
  }
  if (!model.source_values.empty() && model.source_values.size() != classes) {
    throw Error("there are " + std::to_string(model.source_values.size()) + " mask values for " +
                counted(classes, "class"));
  }
  if (model.crf) check(*model.crf);
  require_logits_of_input_size(model.graph);
  require_parameters(model.graph, model.parameters);
}

Tensor run_logits(const Model& model, Executor& executor, const Tensor& input) {
  // An executor only writes to parameters in train mode.
  auto& parameters = const_cast<ParameterStore&>(model.parameters);
  const auto plan = executor.plan(model.graph, parameters, {&input.shape(), 1}, {});
  std::ranges::copy(input.values(), plan->input().data);
  plan->forward();
  const ConstTensorView logits = plan->output("logits");
  Tensor result(logits.shape);
  std::ranges::copy(logits.values(), result.data());
  return result;
}

GoldenPair make_golden_pair(const Model& model) {
  Tensor input(golden_shape(model.graph));
  RandomStream random(0, 0, 0);
  for (float& value : input.values()) value = static_cast<float>(random.uniform(-2, 2));
  Tensor logits = run_logits(model, *make_reference_executor(), input);
  return {std::move(input), std::move(logits)};
}

/// Opens a model file; throws Error without the file's name, unless the reader has put it there.
SafetensorsReader open_model(const std::filesystem::path& path) {
  SafetensorsReader reader(path);
  const auto& texts = reader.metadata();
  const auto text = [&](const char* key) {
    const auto found = texts.find(key);
    return found == texts.end() ? std::string("none") : found->second;
  };
  if (text("format") != kFormat) {
    throw Error::in_file(path.string(), "holds tensors but is no segmentum model (its format is " +
                                            text("format") + ")");
  }
  if (text("format_version") != kFormatVersion) {
    throw Error::in_file(path.string(), "is of model format " + text("format_version") +
                                            "; this program reads format " + kFormatVersion);
  }
  return reader;
}

}  // namespace

bool Model::one_class_head() const {
  return graph.node(graph.output("logits")).channels == 1;
}

void save_model(const std::filesystem::path& path, const Model& model) {
  GoldenPair golden;
  try {
    require_consistent(model);
    golden = make_golden_pair(model);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), "cannot save: " + std::string(error.what()));
  }
  std::map<std::string, std::string> texts = model_texts(model);
  texts["format"] = kFormat;
  texts["format_version"] = kFormatVersion;
  texts["graph"] = to_json(model.graph);

  std::vector<NamedTensor> tensors{{kGoldenInput, golden.input.view()},
                                   {kGoldenLogits, golden.logits.view()}};
  for (const ParameterSpec& spec : model.graph.parameters) {
    tensors.push_back({spec.name, model.parameters.value(spec.name).view()});
  }
  write_safetensors(path, tensors, texts);
}

Model load_model(const std::filesystem::path& path) {
  SafetensorsReader reader = open_model(path);
  Model model;
  try {
    const auto graph = reader.metadata().find("graph");
    if (graph == reader.metadata().end()) throw Error("it has no text \"graph\"");
    model.graph = graph_from_json(graph->second);
    read_model_texts(reader.metadata(), model);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), "the model is damaged: " + std::string(error.what()));
  }
  for (const ParameterSpec& spec : model.graph.parameters) {
    if (reader.contains(spec.name) && !model.parameters.contains(spec.name)) {
      model.parameters.add(spec.name, spec.role, reader.read(spec.name));
    }
  }
  try {
    require_consistent(model);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), "the model is damaged: " + std::string(error.what()));
  }
  return model;
}

std::optional<CrfSettings> load_crf_settings(const std::filesystem::path& path) {
  const SafetensorsReader reader = open_model(path);
  const auto found = reader.metadata().find("crf");
  if (found == reader.metadata().end()) return std::nullopt;
  try {
    return crf_settings_from_json(found->second);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

void store_crf_settings(const std::filesystem::path& path, const CrfSettings& settings) {
  check(settings);
  std::map<std::string, std::string> texts = open_model(path).metadata();
  texts["crf"] = crf_json(settings);
  replace_metadata(path, texts);
}

void remove_crf_settings(const std::filesystem::path& path) {
  std::map<std::string, std::string> texts = open_model(path).metadata();
  texts.erase("crf");
  replace_metadata(path, texts);
}

GoldenPair load_golden_pair(const std::filesystem::path& path) {
  SafetensorsReader reader = open_model(path);
  return {reader.read(kGoldenInput), reader.read(kGoldenLogits)};
}

double golden_error(const Model& model, const GoldenPair& golden, Executor& executor) {
  const Tensor logits = run_logits(model, executor, golden.input);
  if (logits.shape() != golden.logits.shape()) {
    throw Error("the golden logits are of shape " + golden.logits.shape().to_string() +
                ", the network makes " + logits.shape().to_string());
  }
  const auto expected = golden.logits.values();
  const auto [least, greatest] = std::ranges::minmax(expected);
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double{logits.values()[i]} - double{expected[i]});
    if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
    error = std::max(error, difference);
  }
  const double range = double{greatest} - double{least};
  return error == 0 ? 0 : error / range;
}

}  // namespace segmentum
