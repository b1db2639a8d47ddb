// Does the file that was written compute what the model does?
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "interop/onnx/export_onnx.h"
#include "interop/onnx/onnx_runtime.h"

namespace segmentum {

/// One picture through the model and through the file.
struct OnnxParity {
  std::string reader;  // "read back", or "ONNX Runtime 1.20.1"
  Size2 size;
  // Of the logits, as a part of their range; nothing where the file gives labels.
  std::optional<double> largest_difference, mean_difference;
  std::int64_t pixels = 0;
  std::int64_t changed_pixels = 0;  // whose label is another
};

/// Runs seeded random pictures through the model on the cpu engine and through the exported file,
/// read back by our own importer and, if there is one, by `runtime`: two sizes that the network
/// accepts, or the one that was fixed. Throws Error where the file cannot be read or run.
std::vector<OnnxParity> onnx_parity(const Model& model, const std::filesystem::path& file,
                                    const OnnxExportOptions& options, OnnxRuntime* runtime);

/// Float sums of some thousand products in another order.
inline constexpr double kOnnxTolerance = 1e-4;

}  // namespace segmentum
