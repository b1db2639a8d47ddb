// Bad files end in one line that helps; in a batch they are skipped.
#include <gmock/gmock.h>

#include "base/file.h"
#include "image/codec.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

void expect_failure(const std::vector<std::string>& arguments, const std::string& message) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 1) << outcome.out;
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("segmentum: "), HasSubstr(message)));
}

TEST(BadInput, FilesThatAreNotThere) {
  const fs::path folder = fresh_folder("missing");
  const std::string none = folder / "none";
  expect_failure({"init", none}, none);
  expect_failure({"train", none, "--out", folder / "run"}, none);
  expect_failure({"eval", none + ".segmentum", folder}, none);
  expect_failure({"predict", none + ".segmentum", folder, "--out", folder / "out"}, none);
  expect_failure({"describe", none + ".segmentum"}, none);
  expect_failure({"train", folder, "--config", none + ".toml"}, none);
}

TEST(BadInput, FolderWithoutPictures) {
  const fs::path folder = fresh_folder("empty");
  expect_failure({"train", folder, "--out", folder / "run"}, folder);
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(BadInput, TextThatCallsItselfAModel) {
  const fs::path folder = fresh_folder("text_model");
  write_file(folder / "text.segmentum", "hello\n");
  write_png(folder / "a.png", Image(4, 4, 3));
  const std::string model = folder / "text.segmentum";
  expect_failure({"predict", model, folder / "a.png", "--out", folder / "out"}, model);
  expect_failure({"eval", model, folder}, model);
  expect_failure({"describe", model}, model);
  expect_failure({"describe", "--selftest", model}, model);
}

TEST(BadInput, MaskOfAnotherSize) {
  const fs::path folder = fresh_folder("mask_size");
  write_tiny_scenes(folder / "data");
  Image wrong(5, 6, 1);
  for (const auto& entry : fs::directory_iterator(folder / "data" / "trainannot")) {
    write_png(entry.path(), wrong);
  }
  const Outcome training = run(tiny_training(folder / "data", folder / "run", 2));
  EXPECT_EQ(training.status, 1);
  EXPECT_EQ(line_count(training.err), 1) << training.err;
  EXPECT_THAT(training.err, AllOf(HasSubstr("is 6x5 but its picture"), HasSubstr("is 64x48")));
}

TEST(BadInput, SettingsThatCannotWork) {
  const fs::path folder = fresh_folder("settings");
  write_file(folder / "bad.toml", "lr = 0.1\nbatch = \"many\"\n");
  expect_failure({"train", folder, "--config", folder / "bad.toml"}, "bad.toml:2: batch is");
}

TEST(BadInput, OneBadPictureIsSkippedAndToldOf) {
  const fs::path folder = fresh_folder("batch");
  const fs::path model = tiny_model(folder);
  write_png(folder / "in" / "a.png", Image(20, 30, 3));
  write_file(folder / "in" / "b.png", "this is no picture");
  write_png(folder / "in" / "c.png", Image(9, 9, 3));
  const Outcome outcome = run({"predict", model, folder / "in", "--out", folder / "out"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("b.png"), HasSubstr("1 of 3 pictures failed")));
  EXPECT_THAT(outcome.out, HasSubstr("2 pictures segmented"));
  EXPECT_TRUE(fs::exists(folder / "out" / "a.png"));
  EXPECT_FALSE(fs::exists(folder / "out" / "b.png"));
  EXPECT_TRUE(fs::exists(folder / "out" / "c.png"));
}

TEST(BadInput, EvaluationOfTheWrongThing) {
  const fs::path folder = fresh_folder("wrong_eval");
  const fs::path model = tiny_model(folder);
  ASSERT_EQ(run({"init", folder / "data"}).status,
            0);  // else eval tells what it sees in the folder
  expect_failure({"eval", model, folder / "data", "--split", "tset"}, "no split \"tset\"");
  expect_failure({"eval", model, folder / "data", "--rand", "cat"}, "there are sky, building");
}

}  // namespace
}  // namespace segmentum
