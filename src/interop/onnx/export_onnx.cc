#include "interop/onnx/export_onnx.h"

#include <string>
#include <utility>

#include "graph/rewrite.h"
#include "interop/onnx/graph_exporter.h"
#include "interop/onnx/metadata.h"
#include "segmentum/error.h"

namespace segmentum {

OnnxModel onnx_of(const Graph& graph, const ParameterStore& parameters,
                  const Preprocess& preprocess, const OnnxExportOptions& options) {
  if (options.opset < kLowestOnnxOpset || options.opset > kHighestOnnxOpset) {
    throw Error("operator set " + std::to_string(options.opset) + " is not written; " +
                std::to_string(kLowestOnnxOpset) + " to " + std::to_string(kHighestOnnxOpset) +
                " are");
  }
  require_parameters(graph, parameters);
  return GraphExporter(graph, parameters, preprocess, options).exported();
}

Preprocess exported_preprocess(const Preprocess& preprocess, const OnnxExportOptions& options) {
  if (!options.preprocess) return preprocess;
  const auto c = preprocess.mean.size();
  return {.mean = std::vector(c, 0.0f), .std = std::vector(c, 1 / kByteSamples)};
}

std::vector<std::filesystem::path> export_onnx(const std::filesystem::path& path,
                                               const Model& model,
                                               const OnnxExportOptions& options) {
  try {
    Graph graph = model.graph;
    if (!options.all_outputs || options.argmax) {
      const std::string logits = "logits";
      graph = keep_outputs(graph, {&logits, 1});
    }
    graph = drop_dropout(graph);
    std::optional<GraphWithParameters> folded;
    if (options.fold_batch_norm) folded = fold_batch_norm(graph, model.parameters);
    OnnxModel onnx =
        onnx_of(folded ? folded->graph : graph, folded ? folded->parameters : model.parameters,
                model.preprocess, options);
    add_metadata(model, exported_preprocess(model.preprocess, options), onnx);
    return write_onnx(path, onnx);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(path.string())) throw;
    throw Error::in_file(path.string(), "cannot export: " + what);
  }
}

}  // namespace segmentum
