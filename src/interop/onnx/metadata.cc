#include "interop/onnx/metadata.h"

#include "model_file/model_json.h"

namespace segmentum {
namespace {

constexpr std::string_view kPrefix = "segmentum.";

}  // namespace

void add_metadata(const Model& model, const Preprocess& preprocess, OnnxModel& onnx) {
  const Model said{.preprocess = preprocess,
                   .classes = model.classes,
                   .source_values = model.source_values,
                   .source_ignore_value = model.source_ignore_value,
                   .source_values_are_colours = model.source_values_are_colours,
                   .settings = model.settings,
                   .provenance = model.provenance};
  for (auto& [key, text] : model_texts(said)) {
    onnx.metadata.insert_or_assign(std::string(kPrefix) + key, text);
  }
}

bool has_own_metadata(const OnnxModel& onnx) {
  return onnx.metadata.contains(std::string(kPrefix) + "preprocess");
}

Model model_of_metadata(const OnnxModel& onnx) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, text] : onnx.metadata) {
    if (key.starts_with(kPrefix)) texts.emplace(key.substr(kPrefix.size()), text);
  }
  Model model;
  read_model_texts(texts, model);
  return model;
}

}  // namespace segmentum
