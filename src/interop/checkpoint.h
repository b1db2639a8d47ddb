// The world's weights: checkpoints of PyTorch and safetensors files, as tensors by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interop/number_type.h"
#include "tensor/tensor.h"

namespace segmentum {

struct CheckpointContent;

/// What a checkpoint says about one tensor: a view on a storage, which tensors may share.
struct CheckpointTensor {
  NumberType type = NumberType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in numbers, one for each axis
  std::uint64_t offset = 0;           // in numbers, of its first in the storage
  std::size_t storage = 0;

  std::uint64_t count() const;     // of numbers
  std::string shape_text() const;  // "64x3x7x7", "scalar"
};

/// An open checkpoint. Its structure has been checked whole: every tensor lies within its storage.
/// Numbers stay in the file until they are read.
class Checkpoint {
 public:
  explicit Checkpoint(std::unique_ptr<CheckpointContent> content);
  ~Checkpoint();
  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;

  const std::map<std::string, CheckpointTensor>& tensors() const { return tensors_; }
  /// "zip of torch.save", "legacy stream of torch.save" or "safetensors".
  const std::string& format() const;
  /// What was taken off on the way to the tensors, for people: the weights stood under "model"; the
  /// prefix "module." was taken off.
  const std::vector<std::string>& notes() const { return notes_; }

  /// The numbers of a tensor of up to four axes as float; float64, float16 and bfloat16 are
  /// converted. Throws Error for a name that is not there, for whole numbers and booleans, and for
  /// a view that claims more numbers than its storage has. Not for several threads at a time.
  Tensor read(const std::string& name) const;
  /// The same; throws Error for numbers that are not finite too.
  Tensor read_finite(const std::string& name) const;

 private:
  void strip_prefixes();

  std::unique_ptr<CheckpointContent> content_;
  std::map<std::string, CheckpointTensor> tensors_;
  std::vector<std::string> notes_;
};

/// Opens a `.pth` file (zip, or the stream that PyTorch wrote before 1.6) or a safetensors file,
/// told apart by their first bytes. Weights inside of a training checkpoint (under "model",
/// "state_dict", "model_state_dict", ...) are found, and the prefixes "module.", "model." and
/// "_orig_mod." of wrappers taken off where most names have them.
/// Nothing in the file is executed; nothing in it can crash the program or make it take more memory
/// than a small multiple of the file's size. Throws Error naming the file and what is wrong.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The same of bytes in memory, which must outlive the checkpoint.
Checkpoint parse_checkpoint(std::string_view bytes);

}  // namespace segmentum
