// The numbers of an ONNX file: checked, converted, in files of their own too.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "interop/mapped_file.h"
#include "interop/onnx/onnx_model.h"

namespace segmentum {

/// How many numbers the tensor's axes make. Throws Error for negative axes and more than 2^48.
std::int64_t count_of(const OnnxTensor& tensor);

/// "f32", "i64", ...; the number itself for what ONNX may add.
std::string name_of(OnnxType type);
bool is_real(OnnxType type);

/// All numbers, converted: `into` has as many as the tensor. Throws Error, naming the tensor, if it
/// holds another number of bytes than its axes make, or is of no type of number.
void read_numbers(const OnnxTensor& tensor, std::span<float> into);
void read_numbers(const OnnxTensor& tensor, std::span<double> into);

/// An ONNX file, and those beside it in which it keeps numbers; mapped, not copied.
class OnnxFile {
 public:
  /// Throws Error naming the file if it is no ONNX model, or if it looks for numbers anywhere but
  /// in regular files inside of its own folder.
  explicit OnnxFile(const std::filesystem::path& path);

  const OnnxModel& model() const { return model_; }
  /// Of all files together.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::string_view numbers_file(const std::filesystem::path& folder, const std::string& location);

  MappedFile file_;
  OnnxModel model_;
  std::map<std::string, std::unique_ptr<MappedFile>> numbers_;  // by location
  std::uint64_t bytes_ = 0;
};

}  // namespace segmentum
