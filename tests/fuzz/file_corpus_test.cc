// The corpora of files that people bring along: pictures, models, texts.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "read_hostile_model.h"
#include "read_hostile_picture.h"
#include "read_hostile_run.h"
#include "read_hostile_text.h"

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

TEST(FileCorpus, HostilePicturesAreRefused) {
  testing::internal::CaptureStderr();
  expect_refused("picture_corpus", read_hostile_picture, 25);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // no library speaks for itself
}

TEST(FileCorpus, HostileModelsAreRefused) {
  expect_refused("model_corpus", read_hostile_model, 15);
}

TEST(FileCorpus, HostileFilesOfRunsAreRefused) {
  expect_refused("run_corpus", read_hostile_run, 40);
}

/// Of what is no crash, the readers' own tests judge.
TEST(FileCorpus, HostileTextsAreReadOrRefused) {
  int refused = 0, taken = 0;
  const fs::path folder = fs::path(SEGMENTUM_SOURCE_DIR) / "tests/fuzz/text_corpus";
  for (const auto& entry : fs::directory_iterator(folder)) {
    (read_hostile_text(read_file(entry.path())) ? taken : refused) += 1;
  }
  EXPECT_GE(refused, 25);
  EXPECT_GE(taken, 6);
}

}  // namespace
}  // namespace segmentum
