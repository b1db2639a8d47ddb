// The label doctor from outside, and its fast form before a training.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "data/scenes.h"
#include "image/codec.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

/// The n-th training mask by name.
fs::path training_mask(const fs::path& data, int n) {
  return data / "trainannot" / ("scene_0000" + std::to_string(n) + ".png");
}

void halve_mask(const fs::path& data, int n) {
  write_label_png(training_mask(data, n), LabelMap(24, 32, 3), Palette::voc(8));
}

/// Every mask holds 1 for the first class, as programs that count from one write them.
void count_from_one(const fs::path& data) {
  for (const char* masks : {"trainannot", "valannot", "testannot"}) {
    for (const auto& entry : fs::directory_iterator(data / masks)) {
      Image values = read_mask(entry.path()).values;
      for (int y = 0; y < values.height(); ++y) {
        auto* row = values.row<std::uint8_t>(y);
        std::for_each(row, row + values.width(), [](std::uint8_t& value) { ++value; });
      }
      write_file(entry.path(), encode_png(values));
    }
  }
}

TEST(CheckCommand, HealthyDataExitWith0) {
  const fs::path folder = fresh_folder("check_healthy");
  write_tiny_scenes(folder / "data");
  const Outcome outcome = run({"check", folder / "data"});
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Checked 14 pictures (train 8, val 3, test 3)"),
                                 HasSubstr("pavement"), HasSubstr("Nothing is wrong.")));
}

TEST(CheckCommand, FindsReportsAndRepairs) {
  const fs::path folder = fresh_folder("check_sick");
  const fs::path data = folder / "data", json = folder / "check.json";
  write_tiny_scenes(data);
  halve_mask(data, 2);
  const std::string before = read_file(training_mask(data, 2));
  const Outcome outcome = run({"check", data, "--json", json, "--report", folder / "doctor",
                               "--fix", folder / "fixed", "--threads", "1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("ERROR    size-mismatch, 1 file\n"), HasSubstr("is 32x24 but its"),
                    HasSubstr("training would be wrong"), HasSubstr("Wrote 14 pictures")));
  EXPECT_EQ(read_file(training_mask(data, 2)), before);
  const Json found = Json::parse(read_file(json));
  EXPECT_EQ(found.at("training_would_be_wrong"), true);
  EXPECT_EQ(found.at("findings").at(0).at("kind"), "size-mismatch");
  EXPECT_EQ(found.at("findings").at(0).at("files").at(0).at("split"), "train");
  EXPECT_EQ(found.at("classes").size(), 8u);
  EXPECT_THAT(read_file(folder / "doctor" / "report.html"), HasSubstr("size-mismatch"));
  EXPECT_EQ(run({"check", folder / "fixed"}).status, 0);
}

TEST(CheckCommand, LooksAtThePlaceOfTheCorrectedDataFirst) {
  const fs::path folder = fresh_folder("check_place");
  const fs::path data = folder / "data";
  write_tiny_scenes(data);
  write_file(folder / "full" / "mine.txt", "mine");
  for (const auto& [place, why] : {std::pair{folder / "full", "is not empty"},
                                   std::pair{data / "fixed", "lies in the folder of the data"},
                                   std::pair{folder / "full" / "mine.txt", "is a file"}}) {
    const Outcome outcome = run({"check", data, "--fix", place});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(why));
  }
}

TEST(CheckCommand, NamesAllFilesInTheJson) {
  const fs::path folder = fresh_folder("check_names");
  const fs::path data = folder / "data", json = folder / "check.json";
  write_tiny_scenes(data);
  count_from_one(data);
  const Outcome outcome = run({"check", data, "--json", json});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("ERROR    one-based, 14 files\n"), HasSubstr("- and 11 more")));
  EXPECT_EQ(Json::parse(read_file(json)).at("findings").at(0).at("files").size(), 14u);
}

TEST(CheckCommand, LooksAtTheSplitsAskedFor) {
  const fs::path folder = fresh_folder("check_splits");
  write_tiny_scenes(folder / "data");
  halve_mask(folder / "data", 2);
  EXPECT_EQ(run({"check", folder / "data", "--split", "val,test"}).status, 0);
  EXPECT_EQ(run({"check", folder / "data", "--split", "train"}).status, 1);
  const Outcome wrong = run({"check", folder / "data", "--split", "vla"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("has no split \"vla\""));
  EXPECT_EQ(line_count(wrong.err), 1);
}

TEST(CheckBeforeTraining, RefusesAndCanBeTurnedOff) {
  const fs::path folder = fresh_folder("check_train");
  const fs::path data = folder / "data";
  write_tiny_scenes(data);
  fs::copy_file(data / "train.txt", data / "val.txt", fs::copy_options::overwrite_existing);
  const Outcome refused = run(tiny_training(data, folder / "run", 2));
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(line_count(refused.err), 1) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("pictures are in \"train\" and in \"val\""),
                                 HasSubstr("segmentum check"), HasSubstr("--set check=off")));
  EXPECT_FALSE(fs::exists(folder / "run"));
  const Outcome trained = run(tiny_training(data, folder / "run", 2, {"--set", "check=off"}));
  EXPECT_EQ(trained.status, 0) << trained.err;
  // A run that has begun is not looked at again, and may be told so or not.
  EXPECT_EQ(run(tiny_training(data, folder / "run", 2, {"--resume"})).status, 0);
  EXPECT_EQ(run(tiny_training(data, folder / "run", 2, {"--resume", "--set", "check=on"})).status,
            0);
}

TEST(CheckBeforeTraining, FindsWhatNobodyDescribed) {
  const fs::path folder = fresh_folder("check_undescribed");
  const fs::path data = folder / "data";
  write_tiny_scenes(data);
  count_from_one(data);
  const Outcome refused = run(tiny_training(data, folder / "run", 2));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("the labels are one too high"));
  // Writing it down does not make it right.
  const Outcome init = run({"init", data});
  EXPECT_EQ(init.status, 1);
  EXPECT_THAT(init.out, HasSubstr("  ! the masks are not encoded as expected: the labels are one"));
  EXPECT_THAT(init.err, HasSubstr("the labels are one too high"));
  EXPECT_TRUE(fs::exists(data / "dataset.toml"));
  EXPECT_THAT(run({"check", data}).out, HasSubstr("ERROR    one-based, 14 files"));
  EXPECT_EQ(run(tiny_training(data, folder / "run", 2)).status, 1);
}

TEST(CheckBeforeTraining, ChangesNothingOfTheTraining) {
  const fs::path folder = fresh_folder("check_bits");
  write_tiny_scenes(folder / "data");
  for (const std::string check : {"on", "off"}) {
    const Outcome outcome =
        run(tiny_training(folder / "data", folder / check, 3, {"--set", "check=" + check}));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, Not(HasSubstr("Warning")));
  }
  EXPECT_EQ(read_file(folder / "on" / "best.segmentum"),
            read_file(folder / "off" / "best.segmentum"));
}

}  // namespace
}  // namespace segmentum
