// The fuzzers' corpora, replayed by the suite.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "read_hostile_annotation.h"
#include "read_hostile_checkpoint.h"
#include "read_hostile_onnx.h"
#include "run_hostile_crf.h"

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

TEST(Corpus, HostileAnnotationsAreRefused) {
  expect_refused("annotation_corpus", read_hostile_annotation, 25);
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
