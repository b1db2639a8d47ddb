// Our graphs as ONNX, for ONNX Runtime, OpenCV and whatever else reads it.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "interop/onnx/onnx_model.h"
#include "model_file/model.h"

namespace segmentum {

inline constexpr int kLowestOnnxOpset = 11;
inline constexpr int kHighestOnnxOpset = 21;
inline constexpr float kByteSamples = 255;  // the largest sample of a picture of bytes

struct OnnxExportOptions {
  int opset = 17;  // kLowestOnnxOpset to kHighestOnnxOpset
  /// One picture of this size. None: any number of pictures of any size, by arithmetic on shapes,
  /// which OpenCV does not run.
  std::optional<Size2> size;
  bool argmax = false;           // output "labels" [N,H,W] of class indices instead of the logits
  bool preprocess = false;       // the input's samples are 0..255; else they are pre-processed
  bool fold_batch_norm = false;  // batch norms become part of convolutions
  bool all_outputs = false;      // auxiliary ones too
};

/// The graph as an ONNX model: input and outputs under their names, a node's result and its
/// parameters under the node's. `parameters` must outlive the result, which holds none of their
/// numbers. `preprocess` is applied if the options ask for it. Throws Error naming the node that
/// ONNX cannot express.
OnnxModel onnx_of(const Graph& graph, const ParameterStore& parameters,
                  const Preprocess& preprocess, const OnnxExportOptions& options);

/// Writes the model, with what ONNX has no words for (classes, pre-processing) as metadata that
/// `import_onnx` reads. Numbers beyond 2 GB go to FILE.data. Returns the files written. Throws
/// Error.
std::vector<std::filesystem::path> export_onnx(const std::filesystem::path& path,
                                               const Model& model,
                                               const OnnxExportOptions& options);

/// What a file's input must be for pictures that are pre-processed as the model has it: with
/// `preprocess`, samples 0..255 are all that it reads.
Preprocess exported_preprocess(const Preprocess& preprocess, const OnnxExportOptions& options);

}  // namespace segmentum
