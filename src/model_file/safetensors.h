// The safetensors format: named tensors and named texts in one file that is safe to read from
// strangers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <variant>

#include "tensor/tensor.h"

namespace segmentum {

/// What a file says about one tensor. `type` is the format's own word: "F32", "BF16", ...
struct SafetensorsEntry {
  std::string type;
  Shape shape;
  std::uint64_t offset = 0;  // of its first byte in the file
  std::uint64_t bytes = 0;
};

/// An open safetensors file whose header has been checked; tensors are read one at a time.
///
/// The file: a little-endian u64 (length of the header), the header (JSON: {"name": {"dtype",
/// "shape", "data_offsets"}, ..., "__metadata__": {"key": "text"}}), the numbers, without gaps.
/// Memory follows from the file's size, never from what its header claims.
/// https://huggingface.co/docs/safetensors; we read tensors of at most four axes.
class SafetensorsReader {
 public:
  /// Throws Error naming the file if it cannot be read, or if anything in its header is not as the
  /// format has it: lengths, JSON, types, shapes, offsets, names that stand twice.
  explicit SafetensorsReader(std::filesystem::path path);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, SafetensorsEntry>& tensors() const { return tensors_; }
  bool contains(const std::string& name) const { return tensors_.contains(name); }

  /// A tensor stored as F32, F64, F16 or BF16, as float. Throws Error naming the file if it is not
  /// there or of another type.
  Tensor read(const std::string& name) { return read_as<float>(name); }
  /// The same as double.
  BasicTensor<double> read_f64(const std::string& name) { return read_as<double>(name); }
  /// A tensor stored as I64.
  BasicTensor<std::int64_t> read_i64(const std::string& name) {
    return read_as<std::int64_t>(name);
  }

 private:
  void read_header();
  void read_bytes(const SafetensorsEntry& entry, void* into);
  template <typename T>
  BasicTensor<T> read_as(const std::string& name);
  template <typename T, typename Stored, typename Convert>
  BasicTensor<T> convert(const SafetensorsEntry& entry, Convert to_number);

  std::filesystem::path path_;
  std::ifstream stream_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, SafetensorsEntry> tensors_;
};

/// A tensor to be saved; somebody else owns the numbers. Stored as F32, F64 or I64.
struct NamedTensor {
  std::string name;
  std::variant<ConstTensorView, BasicTensorView<const double>, BasicTensorView<const std::int64_t>>
      values;
};

/// Writes a safetensors file, whole or not at all; the numbers begin at a multiple of 64 bytes.
/// Throws Error if a name stands twice, if a name or text is not UTF-8, or if writing fails.
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Gives a safetensors file other texts; tensors and their bytes stay as they are. The file is
/// replaced whole or not at all. Throws Error naming it.
void replace_metadata(const std::filesystem::path& path,
                      const std::map<std::string, std::string>& metadata);

}  // namespace segmentum
