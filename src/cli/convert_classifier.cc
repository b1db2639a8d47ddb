// segmentum convert-classifier: from a trained classifier to a fully convolutional model.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "graph/describe.h"
#include "interop/checkpoint.h"
#include "interop/file_hash.h"
#include "model_file/model.h"
#include "models/classifier_conversion.h"

namespace segmentum {
namespace {

struct Request {
  std::string classifier;
  std::string layout = "vgg16";
  std::string out;
  std::string classes;
  std::string json;
};

std::map<std::string, Tensor> read_classifier(const std::filesystem::path& path) {
  const Checkpoint checkpoint = read_checkpoint(path);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (name.ends_with("num_batches_tracked")) continue;  // a count that nobody uses
    tensors.emplace(name, checkpoint.read_finite(name));
  }
  return tensors;
}

ConvertedClassifier converted_from(const std::string& file, const std::string& sha256) {
  require_promised_hash(file, sha256);
  std::map<std::string, Tensor> classifier = read_classifier(file);
  try {
    return convert_vgg16(std::move(classifier));
  } catch (const Error& error) {
    throw Error::in_file(file, error.what());
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

/// Names from the file, a line each, or numbers. No legend: ImageNet's names have commas in them,
/// and two of them are equal.
std::vector<ClassInfo> classes_of(const std::string& file, int count) {
  std::vector<std::string> names;
  if (file.empty()) {
    for (int k = 0; k < count; ++k) names.push_back(fmt::format("class {}", k));
  } else {
    names = lines_of(read_file(file));
    if (names.size() != static_cast<std::size_t>(count)) {
      throw Error::in_file(file, fmt::format("names {}, a line each; the classifier has {}",
                                             counted(names.size(), "class"), count));
    }
  }
  const Palette palette = Palette::voc(count);
  std::vector<ClassInfo> classes;
  for (std::size_t k = 0; k < names.size(); ++k) {
    classes.push_back({std::move(names[k]), palette.colours[k]});
  }
  return classes;
}

/// What the classifier was trained on: torchvision's documentation; Caffe's VGG has the mean
/// 103.939, 116.779, 123.68 of blue, green, red in 0..255 and no deviation.
Preprocess preprocess_of(ClassifierSource source, int channels) {
  if (channels != 3) {
    const auto n = static_cast<std::size_t>(channels);
    return {.mean = std::vector(n, 0.5f), .std = std::vector(n, 0.25f)};
  }
  if (source == ClassifierSource::torchvision) {
    return {.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}};
  }
  return {.mean = {123.68f / 255, 116.779f / 255, 103.939f / 255},
          .std = {1.0f / 255, 1.0f / 255, 1.0f / 255}};
}

Model model_of(const Request& request) {
  const std::string sha256 = sha256_of(request.classifier);
  ConvertedClassifier converted = converted_from(request.classifier, sha256);
  Model model;
  model.preprocess = preprocess_of(converted.source, converted.options.input_channels);
  model.classes = classes_of(request.classes, converted.options.classes);
  model.settings = resolved_settings("fcn32s", converted.options);
  model.provenance = {{"converted_from", std::filesystem::path(request.classifier).filename()},
                      {"checkpoint_sha256", sha256},
                      {"classifier", request.layout}};
  model.graph = std::move(converted.graph);
  model.parameters = std::move(converted.parameters);
  return model;
}

int convert(const Request& request) {
  if (request.layout != "vgg16") {
    throw UsageError(fmt::format(
        "--as is \"{}\"; expected vgg16, the classifier that FCN stands on", request.layout));
  }
  const Model model = model_of(request);
  save_model(request.out, model);
  std::cout << fmt::format("Wrote {}: fcn32s of {}, {} numbers\n", request.out,
                           counted(model.classes.size(), "class"),
                           human_number(model.parameters.count()));
  write_json(request.json, JsonObject()
                               .set("model", request.out)
                               .set("architecture", model.graph.architecture)
                               .set("classes", static_cast<int>(model.classes.size()))
                               .set("parameters", model.parameters.count())
                               .set("settings", model.settings));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->classifier, "CLASSIFIER",
                    "a .pth or safetensors file with torchvision's or Caffe's names");
  arguments.option(request->layout, "--as", "NAME", "what it is: vgg16 (default: vgg16)");
  arguments.required_option(request->out, "--out", "FILE", "the .segmentum file to write");
  arguments.option(request->classes, "--classes", "FILE",
                   "names of its classes, a line each (default: numbers)");
  arguments.json(request->json);
  return [request] { return convert(*request); };
}

}  // namespace

const Command kConvertClassifierCommand{
    "convert-classifier",
    "a trained classifier as a fully convolutional model that gives a map of its answers",
    "  segmentum convert-classifier vgg16-397923af.pth --as vgg16 --out vgg16.segmentum\n"
    "  segmentum convert-classifier vgg16.safetensors --classes imagenet.txt --out "
    "vgg16.segmentum\n",
    declare, true};

}  // namespace segmentum
