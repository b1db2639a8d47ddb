// A training that is stopped or killed loses nothing but the work since its last checkpoint.
#include <gmock/gmock.h>

#include <csignal>

#include "base/file.h"
#include "data/scenes.h"
#include "program.h"
#include "run_files.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

TEST(Stopping, ResumedAfterKillToTheSameBits) {
  const fs::path folder = fresh_folder("kill");
  write_tiny_scenes(folder / "data");
  constexpr int kSteps = 60;
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep)).status, 0);

  const fs::path broken = folder / "broken";
  Program first(tiny_training(folder / "data", broken, kSteps, kEveryStep));
  ASSERT_TRUE(
      wait_until([&] { return has_lines(broken / "log.jsonl", 5) || !first.is_running(); }));
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().status, 128 + SIGKILL);
  const Outcome again = run(tiny_training(folder / "data", broken, kSteps));
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("--resume"));

  const Outcome resumed = run(tiny_training(folder / "data", broken, kSteps, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("going on from step"));
  EXPECT_EQ(read_file(broken / "best.segmentum"), read_file(folder / "whole" / "best.segmentum"));
  EXPECT_TRUE(fs::exists(broken / "report.html"));
}

TEST(Stopping, AResumedRunRefusesOtherSettings) {
  const fs::path folder = fresh_folder("resume");
  write_tiny_scenes(folder / "data");
  const auto train = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"train", folder / "data", "--out", folder / "run"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const std::vector<std::string> first{"--epochs", "0.5",           "--threads",     "1",
                                       "--set",    "model.width=2", "model.depth=2", "crop=32",
                                       "batch=2"};
  ASSERT_EQ(train(first).status, 0);
  const auto again = [&](std::vector<std::string> words) {
    words.push_back("--resume");
    return train(words);
  };
  EXPECT_EQ(again(first).status, 0);  // the same command
  EXPECT_EQ(again({}).status, 0);
  const Outcome other = again({"--set", "batch=2", "lr=0.5"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("lr is 0.5, the run has 0.002"),
                               HasSubstr("config.toml); a resumed run keeps the settings")));
  EXPECT_EQ(again({"--epochs", "2"}).status, 2);
  EXPECT_EQ(again({"--model", "fcn8s"}).status, 2);
  EXPECT_EQ(again({"--init", folder / "run" / "best.segmentum"}).status, 2);
}

TEST(Stopping, AResumedRunTakesMovedDataAndRefusesOthers) {
  const fs::path folder = fresh_folder("other_data");
  write_tiny_scenes(folder / "data");
  write_scenes(folder / "other", {.train = 9, .val = 3}, 7, {.height = 48, .width = 64});
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "run", 3)).status, 0);
  const Outcome other = run(tiny_training(folder / "other", folder / "run", 3, {"--resume"}));
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(line_count(other.err), 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("this training began on other data"),
                               HasSubstr("\"split train: 8 labelled pictures"),
                               HasSubstr("\"split train: 9 labelled pictures")));
  fs::rename(folder / "data", folder / "moved");
  const Outcome moved = run(tiny_training(folder / "moved", folder / "run", 3, {"--resume"}));
  EXPECT_EQ(moved.status, 0) << moved.err;
}

TEST(Stopping, InterruptLeavesACheckpoint) {
  const fs::path folder = fresh_folder("interrupt");
  write_tiny_scenes(folder / "data");
  for (const int signal : {SIGINT, SIGTERM}) {
    const fs::path run_folder = folder / std::to_string(signal);
    Program training(
        tiny_training(folder / "data", run_folder, 1'000'000, {"--set", "log_every=1"}));
    ASSERT_TRUE(wait_until([&] { return has_lines(run_folder / "log.jsonl", 2); }));
    training.send(signal);
    const Outcome outcome = training.wait();
    EXPECT_EQ(outcome.status, 128 + signal);
    EXPECT_EQ(outcome.err, "segmentum: interrupted\n");
    EXPECT_THAT(outcome.out, HasSubstr("--resume goes on"));
    EXPECT_TRUE(fs::exists(run_folder / "checkpoint.safetensors"));
  }
}

}  // namespace
}  // namespace segmentum
