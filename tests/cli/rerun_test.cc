// The same training again, from what its manifest says.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "image/codec.h"
#include "program.h"
#include "run_files.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

Json manifest_of(const fs::path& run) {
  return Json::parse(read_file(run / "manifest.json"));
}

void expect_refusal(const std::vector<std::string>& words, const std::string& message) {
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(message));
}

TEST(Rerun, GivesTheSameBits) {
  const fs::path folder = fresh_folder("rerun");
  write_tiny_scenes(folder / "data");
  const Outcome training = run(tiny_training(folder / "data", folder / "run", 8));
  ASSERT_EQ(training.status, 0) << training.err;

  const Json manifest = manifest_of(folder / "run");
  EXPECT_THAT(manifest.at("calls").at(0).at("command").get<std::string>(),
              AllOf(HasSubstr(" train "), HasSubstr("--steps 8")));
  EXPECT_EQ(manifest.at("calls").at(0).at("steps"), 8);
  EXPECT_EQ(manifest.at("config").at("seed"), "1");
  EXPECT_EQ(manifest.at("data").at("files"), 22);  // 8 + 3 pictures and their masks
  EXPECT_TRUE(manifest.at("calls").at(0).at("program").contains("cpu"));
  EXPECT_EQ(line_count(read_file(folder / "run" / "data.sha256")), 22);
  EXPECT_EQ(manifest.at("data").at("sha256"), sha256_of(folder / "run" / "data.sha256"));

  const Outcome again = run({"rerun", folder / "run"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("The same bits: "));
  expect_same_weights(folder / "run-again", folder / "run");
  expect_refusal({"rerun", folder / "run"}, "this folder already holds a training");

  fs::rename(folder / "data", folder / "moved");
  expect_refusal({"rerun", folder / "run", "--out", folder / "third"}, (folder / "data").string());
  const Outcome moved = run({"rerun", folder / "run/", "--out", folder / "third", "--data",
                             folder / "moved", "--json", folder / "result.json"});
  EXPECT_EQ(moved.status, 0) << moved.err;
  EXPECT_EQ(Json::parse(read_file(folder / "result.json")).at("same_bits"), true);
}

/// Minutes were measured once; the manifest has their steps.
TEST(Rerun, OfMinutesTakesTheStepsThatWereMadeOfThem) {
  const fs::path folder = fresh_folder("rerun_minutes");
  write_tiny_scenes(folder / "data");
  const Outcome training =
      run({"train", folder / "data", "--out", folder / "run", "--minutes", "0.005", "--threads",
           "1", "--set", "model.width=2", "model.depth=2", "crop=32", "batch=2"});
  ASSERT_EQ(training.status, 0) << training.err;
  const Outcome again = run({"rerun", folder / "run"});
  EXPECT_EQ(again.status, 0) << again.err;
  const Json first = manifest_of(folder / "run"), second = manifest_of(folder / "run-again");
  EXPECT_EQ(second.at("calls").at(0).at("steps"), first.at("calls").at(0).at("steps"));
  EXPECT_EQ(second.at("config"), first.at("config"));
}

TEST(Rerun, NamesTheFileThatChanged) {
  const fs::path folder = fresh_folder("rerun_changed");
  write_tiny_scenes(folder / "data");
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "run", 2)).status, 0);
  const fs::path picture = fs::directory_iterator(folder / "data" / "train")->path();
  const std::string content = read_file(picture);
  write_png(picture, Image(48, 64, 3));
  expect_refusal({"rerun", folder / "run"}, picture.string() + ": has other content than when");
  EXPECT_FALSE(fs::exists(folder / "run-again"));
  write_file(picture, content);
  fs::remove(picture.parent_path().parent_path() / "trainannot" / picture.filename());
  expect_refusal({"rerun", folder / "run"}, "the data are not those of");
}

TEST(Rerun, TellsOfOtherBits) {
  const fs::path folder = fresh_folder("rerun_other");
  write_tiny_scenes(folder / "data");
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "run", 2)).status, 0);
  Json manifest = manifest_of(folder / "run");
  manifest.at("config").at("seed") = "2";
  write_file(folder / "run" / "manifest.json", manifest.dump());
  expect_refusal({"rerun", folder / "run"},
                 "its weights are others than those of " + (folder / "run").string());
  manifest.at("calls").at(0).at("program").at("cpu") = "abacus";
  write_file(folder / "run" / "manifest.json", manifest.dump());
  const Outcome other = run({"rerun", folder / "run", "--out", folder / "third"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.out, HasSubstr("other bits are to be expected"));
  EXPECT_THAT(other.err, HasSubstr("what differs: cpu was abacus, is "));
}

TEST(Rerun, NeedsATrainingThatHasEnded) {
  const fs::path folder = fresh_folder("rerun_unfinished");
  write_tiny_scenes(folder / "data");
  expect_refusal({"rerun", folder / "data"}, "holds no manifest.json");
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "run", 2)).status, 0);
  Json manifest = manifest_of(folder / "run");
  manifest.at("weights") = nullptr;
  write_file(folder / "run" / "manifest.json", manifest.dump());
  expect_refusal({"rerun", folder / "run"}, "the training has not ended");
  EXPECT_EQ(run({"rerun", folder / "run", "--out", folder / "run"}).status, 2);
  write_file(folder / "run" / "manifest.json", "{}");
  expect_refusal({"rerun", folder / "run"},
                 "is no manifest of a run: it has no \"format\"; a rerun needs it: put a copy");
}

/// What a run's files say is told in words for people, with what to do.
TEST(Rerun, DamagedFilesOfARun) {
  const fs::path folder = fresh_folder("rerun_damaged");
  write_tiny_scenes(folder / "data");
  const auto words = tiny_training(folder / "data", folder / "run", 2);
  ASSERT_EQ(run(words).status, 0);
  std::vector<std::string> resume = words;
  resume.emplace_back("--resume");
  const std::string weights = manifest_of(folder / "run").at("weights").dump();
  write_file(folder / "run" / "manifest.json", "{\"format\": ");
  const Outcome resumed = run(resume);
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("This training goes on all the same"));
  EXPECT_EQ(manifest_of(folder / "run").at("weights").dump(), weights);

  const fs::path checkpoint = folder / "run" / "checkpoint.safetensors";
  std::string bytes = read_file(checkpoint);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 4);
  write_file(checkpoint, bytes);
  const std::string remedy = "put a copy of it in its place, or train in another folder: --init " +
                             (folder / "run" / "best.segmentum").string();
  expect_refusal(resume, remedy);
  write_file(checkpoint, bytes.substr(0, bytes.size() / 2));
  expect_refusal(resume, remedy);
}

}  // namespace
}  // namespace segmentum
