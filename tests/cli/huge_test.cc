// Pictures that are read, segmented and written part by part, by the program from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "base/file.h"
#include "image/codec.h"
#include "large_picture.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

bool same_labels(const fs::path& a, const fs::path& b) {
  const Image first = read_mask(a).values, second = read_mask(b).values;
  return first.height() == second.height() && first.width() == second.width() &&
         std::equal(first.data(), first.data() + first.row_bytes() * first.height(), second.data());
}

TEST(HugePictures, StreamedLabelsAreThoseOfTheWholeAndProved) {
  const fs::path folder = fresh_folder("huge");
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 700, 900);
  const Outcome whole = run(large_prediction(folder, model, "whole", {"--stream", "never"}));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const Outcome streamed = run(large_prediction(
      folder, model, "streamed", {"--stream", "always", "--tile", "256", "--proof", "3"}));
  ASSERT_EQ(streamed.status, 0) << streamed.err;
  EXPECT_THAT(streamed.err, HasSubstr("large.tif is proved: 3 parts at random places"));
  EXPECT_TRUE(same_labels(folder / "whole" / "large.png", folder / "streamed" / "large.tif"));
  const Outcome wrong = run(large_prediction(folder, model, "wrong", {"--stream", "sometimes"}));
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--stream is \"sometimes\"; expected auto, always or never"));
}

/// Killed at several moments, and at last left alone.
TEST(HugePictures, ResumedAfterKillToTheSameBits) {
  const fs::path folder = fresh_folder("huge_kill");
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 1500, 1300);
  const std::vector<std::string> streaming{"--stream", "always", "--tile", "256"};
  ASSERT_EQ(run(large_prediction(folder, model, "whole", streaming)).status, 0);
  const fs::path out = folder / "broken" / "large.tif";
  const fs::path journal = fs::path(out) += ".part.journal";
  std::vector<std::string> resuming = streaming;
  resuming.emplace_back("--resume");
  for (const int lines : {3, 7, 12}) {
    Program program(large_prediction(folder, model, "broken", resuming));
    ASSERT_TRUE(wait_until([&] {
      return !program.is_running() ||
             (fs::exists(journal) && line_count(read_file(journal)) >= lines);
    }));
    program.send(SIGKILL);
    EXPECT_EQ(program.wait().status, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(out));
  }
  const Outcome again = run(large_prediction(folder, model, "broken", streaming));
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("is what an earlier run left; --resume goes on with it"));
  const Outcome resumed = run(large_prediction(folder, model, "broken", resuming));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("of 36 parts are there"));
  EXPECT_TRUE(same_labels(folder / "whole" / "large.tif", out));
  EXPECT_FALSE(fs::exists(journal));
}

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
/// What is held in memory follows from --memory, not from the picture: 3000x2000 pixels through a
/// network whose values would take some 3 GB for all of it.
TEST(HugePictures, MemoryIsBounded) {
  const fs::path folder = fresh_folder("huge_memory");
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 2000, 3000);
  const Outcome outcome =
      run(large_prediction(folder, model, "out", {"--stream", "always", "--memory", "200"}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_LT(outcome.peak_mb, 210);
}
#endif

}  // namespace
}  // namespace segmentum
