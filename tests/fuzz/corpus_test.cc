// The fuzzers' corpora, replayed by the suite.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "read_hostile_checkpoint.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

TEST(Corpus, HostileCheckpointsAreRefused) {
  int refused = 0;
  const fs::path folder = fs::path(SEGMENTUM_SOURCE_DIR) / "tests/fuzz/checkpoint_corpus";
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    const bool is_read = read_hostile_checkpoint(read_file(entry.path()));
    EXPECT_EQ(is_read, name.starts_with("valid_")) << name;
    if (!is_read) ++refused;
  }
  EXPECT_GE(refused, 30);
}

}  // namespace
}  // namespace segmentum
