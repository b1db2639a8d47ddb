// What the readers of the formats hand to Checkpoint; private to interop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interop/checkpoint.h"
#include "interop/mapped_file.h"
#include "interop/pickle.h"

namespace segmentum {

struct CheckpointContent {
  std::string file;                    // its name, for messages; empty for bytes in memory
  std::unique_ptr<MappedFile> mapped;  // the file's bytes, if they are not the caller's
  std::string format;
  std::string found_under;  // "model": where in a training checkpoint; empty: at the top
  std::map<std::string, CheckpointTensor> tensors;
  /// The bytes of storage i, valid until the next call. Throws Error.
  std::function<std::string_view(std::size_t)> storage_bytes;
};

/// Readers of one format each, of a whole file's bytes. They throw Error.
CheckpointContent read_torch_zip(std::string_view bytes);
CheckpointContent read_torch_stream(std::string_view bytes);
CheckpointContent read_safetensors(std::string_view bytes);

/// The storages that the pickle of a checkpoint refers to, one for each key.
struct StorageTable {
  struct Storage {
    std::string key;
    NumberType type;
    std::uint64_t count;
    std::uint64_t bytes() const { return count * static_cast<std::uint64_t>(bytes_of(type)); }
  };
  std::vector<Storage> storages;
  std::map<std::string, std::size_t, std::less<>> index;  // by key
};

/// Throws Error if a key stands for storages of several types or sizes, or of one too large to be
/// in a file of `file_bytes`.
StorageTable storages_of(const Pickled& pickled, std::uint64_t file_bytes);

/// Puts the tensors of the state dict inside of `pickled` into `content`, each checked against its
/// storage in `table`, and says where it was found. Throws Error.
void take_state_dict(const Pickled& pickled, const StorageTable& table, CheckpointContent& content);

}  // namespace segmentum
