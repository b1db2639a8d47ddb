#include "tiny_scenes.h"

#include <gtest/gtest.h>

#include "data/scenes.h"

namespace segmentum {

void write_tiny_scenes(const std::filesystem::path& folder) {
  write_scenes(folder, {.train = 8, .val = 3, .test = 3}, 7, {.height = 48, .width = 64});
}

std::vector<std::string> tiny_training(const std::filesystem::path& data,
                                       const std::filesystem::path& run, int steps,
                                       const std::vector<std::string>& more) {
  std::vector<std::string> words{"train",         data,
                                 "--out",         run,
                                 "--steps",       std::to_string(steps),
                                 "--threads",     "1",
                                 "--set",         "model.width=2",
                                 "model.depth=2", "crop=32",
                                 "batch=2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::filesystem::path tiny_model(const std::filesystem::path& folder) {
  write_tiny_scenes(folder / "data");
  const Outcome training = run(tiny_training(folder / "data", folder / "run", 3));
  EXPECT_EQ(training.status, 0) << training.err;
  return folder / "run" / "best.segmentum";
}

}  // namespace segmentum
