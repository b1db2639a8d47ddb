// A data set of a few small pictures on disk, for tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "engine/executor.h"
#include "segmentum/progress.h"
#include "train/config.h"

namespace segmentum {

/// The engines that every test of training runs on.
struct TestEngine {
  const char* name;
  std::unique_ptr<Executor> (*make)();
};
inline constexpr TestEngine kTestEngines[] = {{"reference", make_reference_executor},
                                              {"cpu", make_cpu_executor}};

/// A folder below the test's temporary folder, removed on destruction.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name);
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Writes 5 training and 2 validation pictures of 20x24 below `root`: bright squares (class 1), and
/// with three classes dark ones (class 2), on noisy grey; a border of ignored pixels.
Dataset make_tiny_dataset(const std::filesystem::path& root, int classes = 3);

/// A training of `steps` steps that takes about a second on the reference engine.
TrainConfig tiny_config(int steps);

/// Remembers what it is told; asks to stop after so many steps of training.
class RecordingSink : public ProgressSink {
 public:
  explicit RecordingSink(int stop_after_steps = -1) : stop_after_(stop_after_steps) {}
  void begin(const std::string& task, std::int64_t, const std::string&) override {
    tasks.push_back(task);
    ++depth_;
  }
  void update(std::int64_t, const std::string&) override {
    if (depth_ == 1) ++steps_;  // else of a validation
  }
  void end() override { --depth_; }
  void message(const std::string& line) override { messages.push_back(line); }
  bool stop_requested() override { return steps_ == stop_after_; }

  std::vector<std::string> messages;
  std::vector<std::string> tasks;

 private:
  int stop_after_;
  int steps_ = 0;
  int depth_ = 0;
};

}  // namespace segmentum
