// The fuzzers' corpora, replayed by the suite: inputs that once reached new code, and all that once
// broke something.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "read_hostile_checkpoint.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

TEST(Corpus, CheckpointsAreReadOrRefused) {
  int files = 0;
  for (const char* folder : {"tests/fuzz/checkpoint_corpus", "tests/golden/checkpoints"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(SEGMENTUM_SOURCE_DIR) / folder)) {
      read_hostile_checkpoint(read_file(entry.path()));
      ++files;
    }
  }
  EXPECT_GE(files, 10);
}

}  // namespace
}  // namespace segmentum
