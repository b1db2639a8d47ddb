// An ONNX file's content as plain structs: what https://onnx.ai/onnx/repo-docs/IR.html calls a
// model, less what no network of ours could hold (sparse tensors, sequences, functions, training).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segmentum {

/// The types of number, by ONNX's own values.
enum class OnnxType : std::int32_t {
  undefined = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  text = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16
};

/// Numbers of a file: dense, row-major, little-endian.
struct OnnxTensor {
  struct External {
    std::string location;  // a file beside the model, with / between folders
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length;
  };

  std::string name;
  OnnxType type = OnnxType::f32;
  std::vector<std::int64_t> dims;
  std::string_view bytes;            // all numbers, where somebody else keeps them
  std::string own_bytes;             // or here
  std::vector<std::int64_t> wholes;  // or one by one, as some writers store whole numbers
  std::optional<External> external;  // or in a file of their own

  std::string_view stored() const { return own_bytes.empty() ? bytes : own_bytes; }
};

struct OnnxAttribute {
  enum class Kind : std::int32_t {
    real = 1,
    whole = 2,
    text = 3,
    tensor = 4,
    graph = 5,
    reals = 6,
    wholes = 7,
    texts = 8,
    other = 0
  };
  std::string name;
  Kind kind = Kind::other;
  float real = 0;
  std::int64_t whole = 0;
  std::string text;
  std::shared_ptr<const OnnxTensor> tensor;
  std::vector<float> reals;
  std::vector<std::int64_t> wholes;
};

struct OnnxNode {
  std::string name;  // may be empty
  std::string op;    // "Conv"
  std::string domain;
  std::vector<std::string> inputs;  // names of values; an empty one is left out
  std::vector<std::string> outputs;
  std::vector<OnnxAttribute> attributes;

  const OnnxAttribute* find(std::string_view attribute) const;
};

/// One axis: a number, or unknown under a name.
struct OnnxDim {
  std::int64_t size = -1;  // -1: unknown
  std::string name;
  bool is_known() const { return size >= 0; }
};

/// What is said about an input or output.
struct OnnxValueInfo {
  std::string name;
  OnnxType type = OnnxType::undefined;
  std::optional<std::vector<OnnxDim>> dims;
};

struct OnnxModel {
  std::int64_t ir_version = 0;
  std::string producer;
  std::string producer_version;
  std::map<std::string, std::int64_t> opsets;  // version by domain; "" is ONNX's own
  std::map<std::string, std::string> metadata;
  std::string graph_name;
  std::vector<OnnxNode> nodes;  // in an order in which they can run
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValueInfo> inputs;
  std::vector<OnnxValueInfo> outputs;
};

/// What Protocol Buffers' readers take at most is 2^31 - 1 bytes; some room is left for names.
inline constexpr std::uint64_t kOnnxMostBytes = 2'000'000'000;

/// Reads a file's bytes, which must outlive the model: numbers are looked at where they lie.
/// Throws Error where the bytes are no ONNX model; memory is bounded by a small multiple of the
/// file's size, plus a fixed amount.
OnnxModel parse_onnx(std::string_view bytes);

/// Writes the file, whole or not at all. Numbers of tensors are not copied on the way. Numbers that
/// would take the file beyond `most_bytes` go to a second file, NAME.data, that is written first.
/// Returns what was written. Throws Error.
std::vector<std::filesystem::path> write_onnx(const std::filesystem::path& path,
                                              const OnnxModel& model,
                                              std::uint64_t most_bytes = kOnnxMostBytes);

}  // namespace segmentum
