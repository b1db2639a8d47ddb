// Data that cannot be read or that change, and two programs in one place.
#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/codec.h"
#include "large_picture.h"
#include "program.h"
#include "run_files.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// One of the pictures in the middle of a folder.
fs::path middle_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files.at(files.size() / 2);
}

nlohmann::json manifest_of(const fs::path& run) {
  return nlohmann::json::parse(read_file(run / "manifest.json"));
}

TEST(BrokenPicture, EndsATrainingInALineThatNamesIt) {
  const fs::path folder = fresh_folder("broken_picture");
  write_tiny_scenes(folder / "data");
  const fs::path picture = middle_of(folder / "data" / "train");
  write_file(picture, read_file(picture).substr(0, 200));
  const Outcome outcome = run(tiny_training(folder / "data", folder / "run", 8));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(picture.filename()));
  EXPECT_FALSE(fs::exists(folder / "run" / "best.segmentum"));
}

TEST(BrokenPicture, IsSkippedByEvalAndPredict) {
  const fs::path folder = fresh_folder("broken_picture_eval");
  const fs::path model = tiny_model(folder);
  const fs::path picture = middle_of(folder / "data" / "test");
  write_file(picture, read_file(picture).substr(0, 200));
  const Outcome eval = run({"eval", model, folder / "data"});
  EXPECT_EQ(eval.status, 1);
  EXPECT_THAT(eval.err, AllOf(HasSubstr(picture.filename()), HasSubstr("1 of 3 pictures failed")));
  EXPECT_THAT(eval.out, HasSubstr("mean IoU"));
  const Outcome predict =
      run({"predict", model, folder / "data" / "test", "--out", folder / "out"});
  EXPECT_EQ(predict.status, 1);
  EXPECT_THAT(predict.err, HasSubstr("1 of 3 pictures failed"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), {}), 2);
}

/// A disk that is gone for a while, say.
TEST(BrokenPicture, StopsARunningTrainingThatGoesOnToTheSameBits) {
  const fs::path folder = fresh_folder("picture_breaks");
  write_tiny_scenes(folder / "data");
  constexpr int kSteps = 60;
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep)).status, 0);
  const fs::path broken = folder / "broken", picture = middle_of(folder / "data" / "train");
  const std::string content = read_file(picture);
  Program training(tiny_training(folder / "data", broken, kSteps, kEveryStep));
  ASSERT_TRUE(wait_until([&] { return has_lines(broken / "log.jsonl", 5); }));
  write_file(picture, content.substr(0, 200));
  const Outcome outcome = training.wait();
  EXPECT_EQ(outcome.status, 1) << outcome.out;
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(picture.filename()), HasSubstr("stopped at step "),
                                 HasSubstr("--resume goes on from its checkpoint")));
  expect_whole_files(broken);
  write_file(picture, content);
  const Outcome resumed = run(tiny_training(folder / "data", broken, kSteps, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  expect_same_weights(broken, folder / "whole");
  EXPECT_TRUE(manifest_of(broken).at("data").at("changed").empty());
}

TEST(ChangingData, AreNoticedAtTheEndOrTheNextBeginning) {
  const fs::path folder = fresh_folder("picture_changes");
  write_tiny_scenes(folder / "data");
  const fs::path run_folder = folder / "run", picture = middle_of(folder / "data" / "train");
  Program training(tiny_training(folder / "data", run_folder, 60, kEveryStep));
  ASSERT_TRUE(wait_until([&] { return has_lines(run_folder / "log.jsonl", 5); }));
  write_png(picture, Image(48, 64, 3));
  const Outcome outcome = training.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::string name = picture.filename();
  EXPECT_THAT(outcome.out, HasSubstr("1 file of the data changed while this training ran: train/" +
                                     name + ". Which content was learnt from is not known"));
  EXPECT_EQ(manifest_of(run_folder).at("data").at("changed"),
            nlohmann::json::array({"train/" + name}));
  const Outcome again = run({"rerun", run_folder});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("data changed while this run was trained (train/" + name));

  write_png(middle_of(folder / "data" / "val"), Image(48, 64, 3));
  const Outcome resumed = run(tiny_training(folder / "data", run_folder, 60, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("of the data changed since this training began: "));
  EXPECT_EQ(manifest_of(run_folder).at("data").at("changed").size(), 2U);
}

TEST(TwoAtOnce, ASecondTrainingIsKeptAwayUntilTheFirstIsGone) {
  const fs::path folder = fresh_folder("two_trainings");
  write_tiny_scenes(folder / "data");
  const fs::path run_folder = folder / "run";
  constexpr int kSteps = 60;
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep)).status, 0);
  std::vector<std::string> words = kEveryStep;
  words.emplace_back("--resume");
  Program first(tiny_training(folder / "data", run_folder, kSteps, kEveryStep));
  ASSERT_TRUE(wait_until([&] { return has_lines(run_folder / "log.jsonl", 2); }));
  first.send(SIGSTOP);
  const Outcome second = run(tiny_training(folder / "data", run_folder, kSteps, words));
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(line_count(second.err), 1) << second.err;
  EXPECT_THAT(second.err, HasSubstr("another training is running in this folder (process " +
                                    std::to_string(first.id()) +
                                    "); wait for it, stop it, or choose another folder"));
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(fs::exists(run_folder / ".lock"));
  const Outcome third = run(tiny_training(folder / "data", run_folder, kSteps, words));
  EXPECT_EQ(third.status, 0) << third.err;
  EXPECT_FALSE(fs::exists(run_folder / ".lock"));
  expect_same_weights(run_folder, folder / "whole");
}

TEST(TwoAtOnce, ASecondStreamedPredictionIsKeptAwayUntilTheFirstIsGone) {
  const fs::path folder = fresh_folder("two_predictions");
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 1000, 900);
  std::vector<std::string> words{"--stream", "always", "--tile", "256"};
  ASSERT_EQ(run(large_prediction(folder, model, "whole", words)).status, 0);
  words.emplace_back("--resume");
  Program first(large_prediction(folder, model, "out", words));
  const fs::path file = folder / "out" / "large.tif";
  ASSERT_TRUE(wait_until([&] { return has_lines(file.string() + ".part.journal", 3); }));
  first.send(SIGSTOP);
  const Outcome second = run(large_prediction(folder, model, "out", words));
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err,
              HasSubstr("large.tif: is being written by process " + std::to_string(first.id()) +
                        "; wait for it, stop it, or choose another folder"));
  first.send(SIGKILL);
  first.wait();
  const Outcome third = run(large_prediction(folder, model, "out", words));
  EXPECT_EQ(third.status, 0) << third.err;
  EXPECT_TRUE(read_file(file) == read_file(folder / "whole" / "large.tif"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), {}), 1);
}

}  // namespace
}  // namespace segmentum
