// An ONNX graph as a graph of ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "interop/onnx/onnx_model.h"

namespace segmentum {

struct OnnxNetwork {
  Graph graph;  // one input; output "logits" of its size
  ParameterStore parameters;
  std::vector<std::string> notes;  // what was left off, added or taken for granted, for people
  bool reads_bytes = false;        // the file's picture is of whole numbers 0..255
};

/// Translates the network that makes `output` (empty: the first output that is a picture) into our
/// operators. What the file computes about sizes becomes rules for any size; where it works at
/// multiples of some number only, the picture is mirrored up to one and the logits are cut back.
/// Labels, softmax and sigmoid at the end are left off; logits smaller than the picture are
/// magnified to it. A file that states its size is taken to work at others too, and a note says so.
/// `file_bytes`: all that the model's numbers are kept in; bounds the memory taken.
/// Throws Error, naming the node, for operators and settings that we lack.
OnnxNetwork network_of(const OnnxModel& model, std::uint64_t file_bytes,
                       const std::string& output = "");

}  // namespace segmentum
