#include "report/training_run.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/file.h"
#include "image/testing.h"
#include "train/config.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

fs::path run_folder(const std::string& name) {
  const fs::path folder = fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "report" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

Scores some_scores(double mean_iou) {
  Scores scores;
  scores.mean_iou = mean_iou;
  scores.pixel_accuracy = 0.75;
  scores.mean_dice = 0.6;
  scores.classes = {{.iou = 0.5, .dice = 2.0 / 3}, {}};
  return scores;
}

TEST(TrainingRun, ReadsWhatTheTrainerLogs) {
  const fs::path folder = run_folder("logged");
  RunLog log(folder / "log.jsonl", 0);
  log.write({.step = 10,
             .epoch = 1,
             .loss = 1.5,
             .lr = 0.002,
             .gradient_norm = 3,
             .images_per_second = 7.25,
             .loader_wait_seconds = 0.5});
  log.write({.step = 12, .epoch = 1, .scores = some_scores(0.5), .best = true, .seconds = 2},
            {{"sky", {}}, {"roäd \"1\"", {}}});
  log.write({.step = 20, .epoch = 2, .loss = std::numeric_limits<double>::infinity()});
  log.write({.step = 24, .epoch = 2, .scores = some_scores(0.4)},
            {{"sky", {}}, {"roäd \"1\"", {}}});

  const TrainingRun run = read_training_run(folder);
  ASSERT_THAT(run.steps, SizeIs(2));
  EXPECT_EQ(run.steps[0].step, 10);
  EXPECT_EQ(run.steps[0].epoch, 1);
  EXPECT_EQ(run.steps[0].loss, 1.5);
  EXPECT_EQ(run.steps[0].lr, 0.002);
  EXPECT_EQ(run.steps[0].gradient_norm, 3);
  EXPECT_EQ(run.steps[0].images_per_second, 7.25);
  EXPECT_EQ(run.steps[0].loader_wait_seconds, 0.5);
  EXPECT_TRUE(std::isnan(run.steps[1].loss));
  ASSERT_THAT(run.validations, SizeIs(2));
  EXPECT_TRUE(run.validations[0].best);
  EXPECT_FALSE(run.validations[1].best);
  EXPECT_EQ(run.validations[0].step, 12);
  EXPECT_EQ(run.validations[0].scores.mean_iou, 0.5);
  EXPECT_EQ(run.validations[0].scores.pixel_accuracy, 0.75);
  EXPECT_EQ(run.validations[0].scores.mean_dice, 0.6);
  EXPECT_THAT(run.classes, ElementsAre("sky", "roäd \"1\""));
  ASSERT_THAT(run.validations[0].scores.classes, SizeIs(2));
  EXPECT_EQ(run.validations[0].scores.classes[0].iou, 0.5);
  EXPECT_EQ(run.validations[0].scores.classes[1].iou, std::nullopt);
}

TEST(TrainingRun, SettingsInWords) {
  const fs::path folder = run_folder("settings");
  TrainConfig config;
  config.model["width"] = "32";
  config.steps = 1906;
  config.ema_decay = 0.0;
  config.class_weights = WeightRule::median_frequency;
  write_file(folder / "config.toml", to_toml(config));
  const TrainingRun run = read_training_run(folder);
  EXPECT_EQ(run.config_text, to_toml(config));
  EXPECT_THAT(run.settings,
              AllOf(Contains(Pair("network", "unet, width 32")), Contains(Pair("steps", "1906")),
                    Contains(Pair("batch", "4 crops of 256²")),
                    Contains(Pair("optimizer", "AdamW, weight decay 0.01")),
                    Contains(Pair("class weights", "median frequency")),
                    Contains(Pair("weight average", "none"))));
}

TEST(TrainingRun, LeavesOutALineThatIsStillBeingWritten) {
  const fs::path folder = run_folder("unfinished");
  RunLog(folder / "log.jsonl", 0).write({.step = 10, .loss = 1});
  write_file(folder / "log.jsonl", read_file(folder / "log.jsonl") + R"({"event":"st)");
  EXPECT_THAT(read_training_run(folder).steps, SizeIs(1));
}

TEST(TrainingRun, Refuses) {
  const fs::path folder = run_folder("broken");
  EXPECT_THAT(error_of([&] { read_training_run(folder); }),
              EndsWith("broken: holds neither config.toml nor log.jsonl; expected the folder of a "
                       "training"));
  for (const char* line : {"{\"event\":\"step\"}\n", "[1]\n", "nonsense\n", "{\"event\":3}\n",
                           "{\"event\":\"validation\",\"step\":\"two\"}\n"}) {
    write_file(folder / "log.jsonl", std::string("{\"event\":\"start\"}\n") + line);
    EXPECT_THAT(error_of([&] { read_training_run(folder); }),
                EndsWith("log.jsonl:2: is no line of a training log"))
        << line;
  }
  write_file(folder / "config.toml", "batch = \"many\"\n");
  EXPECT_THAT(error_of([&] { read_training_run(folder); }), HasSubstr("config.toml:1"));
}

}  // namespace
}  // namespace segmentum
