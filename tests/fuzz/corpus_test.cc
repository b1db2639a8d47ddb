// The fuzzers' corpora, replayed by the suite.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "read_hostile_checkpoint.h"
#include "run_hostile_crf.h"

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

TEST(Corpus, HostileCrfsGiveMarginalsOrAreRefused) {
  int refused = 0, ran = 0;
  const fs::path folder = fs::path(SEGMENTUM_SOURCE_DIR) / "tests/fuzz/crf_corpus";
  for (const auto& entry : fs::directory_iterator(folder)) {
    (run_hostile_crf(read_file(entry.path())) ? ran : refused) += 1;
  }
  EXPECT_GE(refused, 5);
  EXPECT_GE(ran, 20);
}

}  // namespace
}  // namespace segmentum
