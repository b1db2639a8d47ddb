// ONNX Runtime, where a machine has it: the judge of what we write. Never needed to build or run;
// the library is opened by name when somebody asks for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace segmentum {

/// What a run gives: an output of floats, or of whole numbers (labels), where ONNX Runtime left
/// them; they stay as long as `owner`, and no longer than the runtime.
struct RuntimeOutput {
  std::vector<std::int64_t> dims;
  std::span<const float> reals;
  std::span<const std::int64_t> wholes;
  std::shared_ptr<void> owner;
};

/// A network opened by ONNX Runtime.
class RuntimeSession {
 public:
  virtual ~RuntimeSession() = default;
  /// Runs it on input `input`, and gives output `output`. Throws Error with what ONNX Runtime says.
  virtual RuntimeOutput run(const std::string& input, ConstTensorView picture,
                            const std::string& output) = 0;
};

class OnnxRuntime {
 public:
  virtual ~OnnxRuntime() = default;
  virtual std::string version() const = 0;
  /// Computes on `threads` threads; 0: as many as ONNX Runtime sees fit. Throws Error with what
  /// ONNX Runtime says.
  virtual std::unique_ptr<RuntimeSession> open(const std::filesystem::path& file,
                                               int threads = 0) = 0;
};

/// Opens the library that the variable SEGMENTUM_ONNXRUNTIME of the environment names, or else
/// libonnxruntime.so.1 where the system looks for libraries; null where there is none. Throws Error
/// if the variable names what is no such library.
std::unique_ptr<OnnxRuntime> find_onnx_runtime();

}  // namespace segmentum
