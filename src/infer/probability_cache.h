// What a network said of a split's pictures, kept for a search that asks many times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "segmentum/image.h"
#include "segmentum/probabilities.h"

namespace segmentum {

struct CachedPicture {
  std::string name;
  Image picture;
  LabelMap truth;
  Probabilities probabilities;  // all three of one size
};

/// In memory up to a limit; what comes after it in one temporary file, which has no name any more
/// and vanishes with the cache, however the program ends.
class ProbabilityCache {
 public:
  /// The file is made in `folder` when it is needed.
  explicit ProbabilityCache(std::size_t memory_bytes,
                            std::filesystem::path folder = std::filesystem::temp_directory_path());
  ~ProbabilityCache();
  ProbabilityCache(const ProbabilityCache&) = delete;
  ProbabilityCache& operator=(const ProbabilityCache&) = delete;

  /// Throws Error if the file cannot be made or written: a full disk.
  void add(CachedPicture picture);
  std::size_t size() const { return entries_.size(); }
  std::uint64_t bytes_in_file() const { return file_bytes_; }

  /// The i-th picture; the reference holds until the next call. Throws Error if the file cannot be
  /// read.
  const CachedPicture& at(std::size_t i);

 private:
  /// An entry in memory, or the shell of one whose numbers lie in the file.
  struct Entry {
    CachedPicture picture;
    bool in_file = false;
    std::uint64_t offset = 0;
    int height = 0, width = 0, channels = 0, classes = 0;
    PixelType type = PixelType::u8;
  };
  void open_file();
  void append(const void* bytes, std::size_t count);
  std::uint64_t read(std::uint64_t offset, void* bytes, std::size_t count) const;

  std::size_t memory_left_;
  std::filesystem::path folder_;
  std::vector<Entry> entries_;
  int file_ = -1;
  std::uint64_t file_bytes_ = 0;
  CachedPicture read_back_;
};

}  // namespace segmentum
