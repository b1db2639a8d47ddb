// The fuzzers' corpora, replayed by the suite.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "read_hostile_checkpoint.h"
#include "read_hostile_onnx.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Every file must be refused but those called valid_.
void expect_refused(const char* corpus, bool (*read)(std::string_view), int at_least) {
  int refused = 0;
  const fs::path folder = fs::path(SEGMENTUM_SOURCE_DIR) / "tests/fuzz" / corpus;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    const bool is_read = read(read_file(entry.path()));
    EXPECT_EQ(is_read, name.starts_with("valid_")) << name;
    if (!is_read) ++refused;
  }
  EXPECT_GE(refused, at_least);
}

TEST(Corpus, HostileCheckpointsAreRefused) {
  expect_refused("checkpoint_corpus", read_hostile_checkpoint, 30);
}

TEST(Corpus, HostileOnnxFilesAreRefused) {
  expect_refused("onnx_corpus", read_hostile_onnx, 70);
}

}  // namespace
}  // namespace segmentum
