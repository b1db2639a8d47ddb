// An ONNX file made into a model of ours.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model_file/model.h"

namespace segmentum {

struct OnnxImportOptions {
  std::filesystem::path classes_file;  // see read_classes; empty: the file's own, or numbers
  /// Of the training's pictures in [0,1], for each channel or for RGB; empty: the file's own, or
  /// ImageNet's.
  std::vector<float> mean, std;
  std::string output;  // with the logits; empty: the first that is a map of the picture
};

struct ImportedOnnx {
  Model model;
  std::string sha256;    // of the file
  std::string producer;  // "pytorch 1.13.1"
  int opset = 0;
  std::vector<std::string> notes;  // for people
  std::string classes_from;        // for people: where the classes' names come from
  std::string preprocess_from;     // and the mean and deviation
};

/// Is this an ONNX file, by its name or its first bytes?
bool is_onnx(const std::filesystem::path& path);

/// Reads the network of an ONNX file (see network_of) and adds what makes a model of it:
/// pre-processing and classes, those that `export_onnx` left in the file where it did, and
/// provenance. Throws Error naming the file.
ImportedOnnx import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options);

}  // namespace segmentum
