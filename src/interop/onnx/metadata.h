// What an ONNX file cannot say in its own words, and ours say in its metadata: classes,
// pre-processing, provenance, each as the text of a model file (docs/model-file.md).
#pragma once

#include "interop/onnx/onnx_model.h"
#include "model_file/model.h"

namespace segmentum {

/// Adds the texts of `model`, with `preprocess` in the place of its own.
void add_metadata(const Model& model, const Preprocess& preprocess, OnnxModel& onnx);

bool has_own_metadata(const OnnxModel& onnx);

/// A model without graph and parameters. Throws Error where a text is missing or damaged.
Model model_of_metadata(const OnnxModel& onnx);

}  // namespace segmentum
