// The folder of a run and its log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "segmentum/error.h"
#include "train/run_folder.h"
#include "train/run_log.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RunFolder, IsHeldByOneAtATime) {
  const TemporaryFolder folder("lock");
  {
    const RunFolder first(folder / "run");
    EXPECT_THAT([&] { RunFolder(folder / "run"); },
                ThrowsMessage<Error>(HasSubstr("another training is running in this folder")));
  }
  EXPECT_NO_THROW(RunFolder(folder / "run"));  // released
}

TEST(RunFolder, IsClearedOfATrainingAndOfNothingElse) {
  const TemporaryFolder folder("clear");
  for (const char* name : {"config.toml", "log.jsonl", "checkpoint.safetensors", "best.segmentum",
                           "notes.txt", "old/config.toml"}) {
    write_file(folder / name, "");
  }
  RunFolder(folder.path()).clear();
  EXPECT_FALSE(std::filesystem::exists(folder / "config.toml"));
  EXPECT_FALSE(std::filesystem::exists(folder / "best.segmentum"));
  EXPECT_TRUE(std::filesystem::exists(folder / "notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder / "old/config.toml"));
}

TEST(RunFolder, CannotLieBelowAFile) {
  const TemporaryFolder folder("below");
  write_file(folder / "file", "x");
  EXPECT_THAT([&] { RunFolder(folder / "file/run"); },
              ThrowsMessage<Error>(HasSubstr("cannot create the folder")));
}

TEST(RunLog, WritesALineAtATime) {
  const TemporaryFolder folder("log");
  RunLog log(folder / "log.jsonl", 0);
  log.write({.step = 10, .epoch = 1, .loss = 0.5, .lr = 0.002, .images_per_second = 3.5});
  const std::string first = read_file(folder / "log.jsonl");
  EXPECT_EQ(log.bytes(), static_cast<std::int64_t>(first.size()));
  const auto line = nlohmann::json::parse(first);
  EXPECT_EQ(line.at("event"), "step");
  EXPECT_EQ(line.at("step"), 10);
  EXPECT_EQ(line.at("loss"), 0.5);
}

TEST(RunLog, AbsentClassesHaveNoScore) {
  const TemporaryFolder folder("absent");
  ConfusionMatrix matrix(3);
  matrix.add(0, 0, 6);
  matrix.add(1, 0, 2);  // class 1 is missed, class 2 never occurs
  RunLog log(folder / "log.jsonl", 0);
  log.write({.step = 4, .epoch = 2, .scores = scores(matrix), .best = true},
            {{"sky", {}}, {"road", {}}, {"car", {}}});
  const auto line = nlohmann::json::parse(read_file(folder / "log.jsonl"));
  EXPECT_EQ(line.at("iou").at("sky"), 0.75);
  EXPECT_EQ(line.at("iou").at("road"), 0.0);
  EXPECT_TRUE(line.at("iou").at("car").is_null());
  EXPECT_EQ(line.at("mean_iou"), 0.375);
  EXPECT_EQ(line.at("best"), true);
}

TEST(RunLog, ForgetsWhatCameAfterTheCheckpoint) {
  const TemporaryFolder folder("forget");
  write_file(folder / "log.jsonl", "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"st");
  EXPECT_EQ(RunLog(folder / "log.jsonl", 22).bytes(), 22);
  EXPECT_EQ(read_file(folder / "log.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
  EXPECT_EQ(RunLog(folder / "log.jsonl", 15).bytes(), 11);  // whole lines only
  EXPECT_EQ(RunLog(folder / "log.jsonl", 1000).bytes(), 11);
  EXPECT_EQ(RunLog(folder / "new.jsonl", 1000).bytes(), 0);
}

}  // namespace
}  // namespace segmentum
