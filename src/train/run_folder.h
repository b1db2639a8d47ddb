// The folder of one training: its files, and the promise that only one process writes them.
#pragma once

#include <filesystem>
#include <optional>

#include "base/file_lock.h"

namespace segmentum {

/// An exclusive claim on a folder, held until destruction or the end of the process, however it
/// ends.
class RunFolder {
 public:
  /// Creates the folder where it is missing, and removes what a killed training left half-written
  /// there. Throws Error if another process trains in it.
  explicit RunFolder(std::filesystem::path path);

  /// Removes the files of a training; what else lies there stays.
  void clear() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path manifest() const { return path_ / "manifest.json"; }
  std::filesystem::path data_hashes() const { return path_ / "data.sha256"; }
  std::filesystem::path log() const { return path_ / "log.jsonl"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.segmentum"; }

 private:
  std::filesystem::path path_;
  std::optional<FileLock> lock_;
};

}  // namespace segmentum
