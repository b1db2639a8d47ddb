// A file's bytes where the system keeps them: large checkpoints are not copied to be looked at.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace segmentum {

/// A file mapped into memory, read-only. It must not be cut short by others while it is open.
class MappedFile {
 public:
  /// Throws Error naming the file if it cannot be opened or is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace segmentum
