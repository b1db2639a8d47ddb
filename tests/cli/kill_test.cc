// Killed at any moment, a training or a streamed prediction loses nothing but the work since its
// last checkpoint, and ends with the same bits. SEGMENTUM_KILLS says how often in all.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/random.h"
#include "large_picture.h"
#include "program.h"
#include "run_files.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

int kills_of_each() {
  const char* text = std::getenv("SEGMENTUM_KILLS");
  return ((text ? std::atoi(text) : 6) + 1) / 2;
}

/// Kills what `start` starts, so many times, each after a random part of the time that it takes
/// alone. `ended` is called whenever one ends before, and at last.
void kill_often(const std::vector<std::string>& words, milliseconds whole,
                const std::function<void()>& killed, const std::function<void()>& ended) {
  RandomStream random(5, 0, 0);
  for (int kills = 0; kills < kills_of_each();) {
    Program program(words);
    std::this_thread::sleep_for(
        milliseconds(random.below(static_cast<std::uint32_t>(whole.count()) + 1)));
    if (program.is_running()) program.send(SIGKILL);
    const Outcome outcome = program.wait();
    if (outcome.status == 128 + SIGKILL) {
      ++kills;
      killed();
    } else {
      ASSERT_EQ(outcome.status, 0) << outcome.err;
      ended();
    }
  }
  const Outcome last = run(words);
  ASSERT_EQ(last.status, 0) << last.err;
  ended();
}

milliseconds time_of(const std::vector<std::string>& words) {
  const auto begin = Clock::now();
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return duration_cast<milliseconds>(Clock::now() - begin);
}

TEST(Kill, ATrainingAtAnyMomentChangesNoBit) {
  const fs::path folder = fresh_folder("kills_of_training");
  write_tiny_scenes(folder / "data");
  constexpr int kSteps = 40;
  const milliseconds whole =
      time_of(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep));
  std::vector<std::string> words = kEveryStep;
  words.emplace_back("--resume");
  const fs::path broken = folder / "broken";
  kill_often(
      tiny_training(folder / "data", broken, kSteps, words), whole,
      [&] { expect_whole_files(broken, After::kill); },
      [&] {
        expect_whole_files(broken);
        expect_same_weights(broken, folder / "whole");
        fs::remove_all(broken);
      });
}

TEST(Kill, AStreamedPredictionAtAnyMomentChangesNoByte) {
  const fs::path folder = fresh_folder("kills_of_prediction");
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 1000, 900);
  std::vector<std::string> words{"--stream", "always", "--tile", "256"};
  const milliseconds whole = time_of(large_prediction(folder, model, "whole", words));
  words.emplace_back("--resume");
  const fs::path file = folder / "broken" / "large.tif";
  kill_often(
      large_prediction(folder, model, "broken", words), whole,
      [&] {
        // Either it is not there, or it was finished before the kill.
        if (fs::exists(file)) {
          EXPECT_TRUE(read_file(file) == read_file(folder / "whole" / "large.tif"));
        }
      },
      [&] {
        EXPECT_TRUE(read_file(file) == read_file(folder / "whole" / "large.tif"));
        EXPECT_EQ(std::distance(fs::directory_iterator(folder / "broken"), {}), 1);
        fs::remove_all(folder / "broken");
      });
}

/// The second signal does not wait for a safe point.
TEST(Kill, TheSecondInterruptEndsAtOnceWithNothingHalfWritten) {
  const fs::path folder = fresh_folder("two_interrupts");
  write_tiny_scenes(folder / "data");
  constexpr int kSteps = 40;
  const fs::path broken = folder / "broken";
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep)).status, 0);
  Program training(tiny_training(folder / "data", broken, kSteps, kEveryStep));
  ASSERT_TRUE(wait_until([&] { return has_lines(broken / "log.jsonl", 5); }));
  ASSERT_TRUE(wait_until([&] {
    training.send(SIGINT);
    return !training.is_running();
  }));
  EXPECT_EQ(training.wait().status, 128 + SIGINT);
  expect_whole_files(broken, After::kill);
  const Outcome resumed = run(tiny_training(folder / "data", broken, kSteps, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  expect_same_weights(broken, folder / "whole");
}

TEST(Kill, TheSecondInterruptDoesNotWaitForALongStep) {
  const fs::path folder = fresh_folder("long_step");
  write_tiny_scenes(folder / "data");
  // A step of this takes some seconds.
  Program training({"train", folder / "data", "--out", folder / "run", "--threads", "1", "--steps",
                    "100", "--set", "model.width=16", "crop=512", "batch=4", "val_split=none"});
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder / "run" / "log.jsonl"); }));
  std::this_thread::sleep_for(milliseconds(300));  // until the first step is under way
  training.send(SIGINT);
  std::this_thread::sleep_for(milliseconds(50));
  ASSERT_TRUE(training.is_running());
  const auto begin = Clock::now();
  training.send(SIGINT);
  EXPECT_EQ(training.wait().status, 128 + SIGINT);
  EXPECT_LT(Clock::now() - begin, milliseconds(500));
  expect_whole_files(folder / "run", After::kill);
}

}  // namespace
}  // namespace segmentum
