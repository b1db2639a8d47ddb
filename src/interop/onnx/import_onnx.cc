#include "interop/onnx/import_onnx.h"

#include <array>
#include <fstream>

#include "base/counted.h"
#include "base/sha256.h"
#include "interop/file_hash.h"
#include "interop/foreign_preprocess.h"
#include "interop/named_classes.h"
#include "interop/onnx/export_onnx.h"
#include "interop/onnx/metadata.h"
#include "interop/onnx/onnx_network.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/pickle.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// What our own exports say of themselves; nothing where there is nothing or it does not fit.
std::optional<Model> own_metadata(const OnnxModel& onnx, int channels, std::size_t classes,
                                  std::vector<std::string>& notes) {
  if (!has_own_metadata(onnx)) return std::nullopt;
  try {
    Model model = model_of_metadata(onnx);
    if (model.preprocess.channels() != channels || model.classes.size() != classes) {
      throw Error("it is of another network");
    }
    return model;
  } catch (const Error& error) {
    notes.push_back("what it says of classes and pre-processing is left out: " +
                    std::string(error.what()));
    return std::nullopt;
  }
}

void add_preprocess(const OnnxImportOptions& options, const std::optional<Model>& own,
                    bool reads_bytes, int channels, ImportedOnnx& imported) {
  Preprocess& preprocess = imported.model.preprocess;
  const bool given = !options.mean.empty() || !options.std.empty();
  if (given || (!own && !reads_bytes)) {
    preprocess = foreign_preprocess(
        options.mean.empty() && own ? own->preprocess.mean : options.mean,
        options.std.empty() && own ? own->preprocess.std : options.std, channels);
    imported.preprocess_from =
        given ? "RGB in [0,1], mean and deviation as given"
              : "RGB in [0,1], ImageNet's mean and deviation: an ONNX file does not state its own";
  } else if (own) {
    preprocess = own->preprocess;
    imported.preprocess_from = "as the file has it";
  } else {
    const auto c = static_cast<std::size_t>(channels);
    preprocess = {.mean = std::vector(c, 0.0f), .std = std::vector(c, 1 / kByteSamples)};
    imported.preprocess_from = "samples 0 to 255, which is what the file reads";
  }
}

void add_classes(const OnnxImportOptions& options, const std::optional<Model>& own, int count,
                 ImportedOnnx& imported) {
  Model& model = imported.model;
  if (!options.classes_file.empty()) {
    model.classes = read_classes(options.classes_file, count);
    imported.classes_from = options.classes_file.string();
    if (model.classes.size() != static_cast<std::size_t>(count)) {
      throw Error("its logits tell " + counted(count, "class") + " apart, " +
                  options.classes_file.string() + " names " + std::to_string(model.classes.size()));
    }
  } else if (own) {
    model.classes = own->classes;
    model.source_values = own->source_values;
    model.source_ignore_value = own->source_ignore_value;
    model.source_values_are_colours = own->source_values_are_colours;
    imported.classes_from = "as the file has them";
  } else {
    model.classes = numbered_classes(count);
    imported.classes_from = "numbers, for no --classes file names them";
  }
}

std::string producer_of(const OnnxModel& onnx) {
  const std::string text =
      onnx.producer + (onnx.producer_version.empty() ? "" : " ") + onnx.producer_version;
  return text.empty() ? "unknown" : printable(text);
}

}  // namespace

bool is_onnx(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") return true;
  // A protocol buffer whose first field is the version of the format; no checkpoint begins so, but
  // for a safetensors file with a header of just that length.
  constexpr std::size_t kLength = sizeof(std::uint64_t);
  std::array<char, kLength + 1> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  constexpr char kFirstField = 1 << 3;
  return file.gcount() == bytes.size() && bytes[0] == kFirstField && bytes[kLength] != '{';
}

ImportedOnnx import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options) {
  ImportedOnnx imported{.sha256 = sha256_of(path)};
  require_promised_hash(path, imported.sha256);
  const OnnxFile file(path);
  const OnnxModel& onnx = file.model();
  try {
    OnnxNetwork network = network_of(onnx, file.bytes(), options.output);
    Model& model = imported.model;
    model.graph = std::move(network.graph);
    model.parameters = std::move(network.parameters);
    imported.notes = std::move(network.notes);
    const int channels = model.graph.node(model.graph.inputs[0]).channels;
    const int logits = model.graph.node(model.graph.output("logits")).channels;
    const int classes = logits == 1 ? 2 : logits;
    const auto own =
        own_metadata(onnx, channels, static_cast<std::size_t>(classes), imported.notes);
    add_preprocess(options, own, network.reads_bytes, channels, imported);
    add_classes(options, own, classes, imported);
    imported.producer = producer_of(onnx);
    const auto opset = onnx.opsets.find("");
    imported.opset = opset == onnx.opsets.end() ? 0 : static_cast<int>(opset->second);
    if (own) model.provenance = own->provenance;
    model.provenance["onnx"] = path.filename().string();
    model.provenance["onnx_producer"] = imported.producer;
    model.provenance["onnx_sha256"] = imported.sha256;
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
  return imported;
}

}  // namespace segmentum
