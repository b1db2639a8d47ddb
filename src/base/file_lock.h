// One process at a time: who writes a folder or a file keeps others from it.
#pragma once

#include <filesystem>
#include <string>

namespace segmentum {

/// An exclusive claim that a lock file stands for. The system holds it, and drops it when the
/// process ends, however it ends: what a killed process left is taken over.
class FileLock {
 public:
  /// Creates `file`, in a folder that is there, and notes this process in it. Throws WriteError if
  /// it cannot be created.
  explicit FileLock(std::filesystem::path file);
  /// Removes the file, if the claim is ours.
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// False where somebody else has it. A file system without locks (some network ones) cannot
  /// tell, and nobody is kept away.
  bool is_ours() const { return ours_; }
  /// Who has it: "process 1234", "process 1234 on NAME" of another machine, or "another process".
  std::string holder() const;

 private:
  void claim();

  std::filesystem::path file_;
  int handle_ = -1;
  bool ours_ = true;
};

}  // namespace segmentum
