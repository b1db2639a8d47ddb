// The program `git`, run without a shell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "segmentum/progress.h"

namespace segmentum {

/// Runs git in one folder. It asks for no passwords, and repositories that the environment names
/// (GIT_DIR) are not meant.
class Git {
 public:
  /// `progress` may be null; asked to stop, a command that runs is ended and Interrupted thrown.
  explicit Git(std::filesystem::path folder, ProgressSink* progress = nullptr);

  /// What a command prints. Throws Error with git's own words where it fails, and where there is no
  /// git.
  std::string run(const std::vector<std::string>& words) const;

  /// False where it fails, whatever it says.
  bool succeeds(const std::vector<std::string>& words) const;

 private:
  struct Outcome {
    int status = -1;
    std::string out, err;
  };
  Outcome start(const std::vector<std::string>& words) const;

  std::filesystem::path folder_;
  ProgressSink* progress_;
};

}  // namespace segmentum
