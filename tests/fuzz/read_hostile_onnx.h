// Everything that an ONNX file from a stranger goes through, on bytes in memory: what the fuzzer
// runs, and what the suite runs on the fuzzer's corpus.
#pragma once

#include <string_view>

#include "interop/onnx/onnx_network.h"
#include "segmentum/error.h"

namespace segmentum {

/// True if the bytes are a network of ours; its weights have been read.
inline bool read_hostile_onnx(std::string_view bytes) {
  try {
    const OnnxModel model = parse_onnx(bytes);
    network_of(model, bytes.size());
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
