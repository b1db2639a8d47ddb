#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/version.h"
#include "model_file/model.h"
#include "segmentum/error.h"
#include "train/run_folder.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::ThrowsMessage;

class TrainerOn : public testing::TestWithParam<TestEngine> {
 protected:
  TrainSummary run(const std::string& name, const TrainConfig& config, bool resume = false) {
    return train(dataset_, config, folder_ / name, resume, *executor_, sink_);
  }
  std::string checkpoint(const std::string& name) {
    return read_file(folder_ / name / "checkpoint.safetensors");
  }
  std::vector<nlohmann::json> log(const std::string& name) {
    std::ifstream file(folder_ / name / "log.jsonl");
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  TemporaryFolder folder_{std::string("trainer_") + GetParam().name};
  Dataset dataset_ = make_tiny_dataset(folder_ / "data");
  std::unique_ptr<Executor> executor_ = GetParam().make();
  RecordingSink sink_;
};

INSTANTIATE_TEST_SUITE_P(Engines, TrainerOn, testing::ValuesIn(kTestEngines),
                         [](const auto& tested) { return tested.param.name; });

/// Header and numbers: the header's padding depends on the digits of the log's position.
void expect_same_state(const std::string& a, const std::string& b) {
  const auto header_size = [](const std::string& bytes) {
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    return static_cast<std::size_t>(size);
  };
  const auto header = [&](const std::string& bytes) {
    auto json = nlohmann::json::parse(bytes.substr(8, header_size(bytes)));
    json["__metadata__"].erase("log_bytes");
    json["__metadata__"].erase("sha256");  // of the log's position, too
    return json;
  };
  EXPECT_EQ(header(a), header(b));
  EXPECT_TRUE(a.substr(8 + header_size(a)) == b.substr(8 + header_size(b)))
      << "the checkpoints hold other numbers";
}

TEST_P(TrainerOn, LeavesConfigLogCheckpointAndBestModel) {
  const TrainSummary summary = run("a", tiny_config(6));
  EXPECT_EQ(summary.steps, 6);
  EXPECT_EQ(summary.epochs, 2);  // 5 pictures in batches of 2: 3 steps
  ASSERT_TRUE(summary.best_mean_iou);
  EXPECT_GT(*summary.best_mean_iou, 0);
  EXPECT_EQ(summary.last_scores->classes.size(), 3u);

  const Model model = load_model(summary.model);
  EXPECT_EQ(model.classes.size(), 3u);
  EXPECT_EQ(model.settings.at("width"), "2");
  EXPECT_EQ(model.source_values, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(model.provenance.at("steps_planned"), "6");
  EXPECT_EQ(model.provenance.at("version"), segmentum_version());
  TrainConfig written;
  read_train_config(written, read_file(folder_ / "a/config.toml"), "config.toml");
  EXPECT_EQ(written.steps, 6);
  EXPECT_EQ(written.one_class, false);
  EXPECT_EQ(written.model.at("depth"), "2");

  const auto lines = log("a");
  ASSERT_EQ(lines.size(), 5u);                          // steps 2, 4, 6 and two validations
  EXPECT_GT(lines[0].at("step_images_per_second"), 0);  // the second step had no loader beside it
  EXPECT_GT(*summary.step_images_per_second, 0);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("that steps alone reach")));
  EXPECT_EQ(lines[0].at("step"), 2);
  EXPECT_EQ(lines[1].at("event"), "validation");
  EXPECT_EQ(lines[1].at("step"), 3);
  EXPECT_EQ(lines[4].at("epoch"), 2);
  EXPECT_TRUE(lines[4].at("iou").contains("class 2"));
}

TEST_P(TrainerOn, TheModelKnowsTheColoursOfTheMasks) {
  dataset_.encoding = {.kind = LabelEncoding::Kind::colour,
                       .to_class = {{0x000000, 0}, {0x800000, 1}, {0x008000, 2}},
                       .ignore_value = 0xe0e0c0};
  dataset_.encoding.to_class[0xe0e0c0] = kIgnoreLabel;  // as the palette of the masks shows it
  const Model model = load_model(run("a", tiny_config(1)).model);
  EXPECT_TRUE(model.source_values_are_colours);
  EXPECT_EQ(model.source_values, (std::vector<std::uint32_t>{0x000000, 0x800000, 0x008000}));
  EXPECT_EQ(model.source_ignore_value, 0xe0e0c0u);
}

TEST_P(TrainerOn, TheSameSeedGivesTheSameBits) {
  TrainConfig config = tiny_config(3);
  config.threads = 2;
  run("a", config);
  run("b", config);
  expect_same_state(checkpoint("a"), checkpoint("b"));
  config.seed = 2;
  run("c", config);
  const std::string a = checkpoint("a"), c = checkpoint("c");
  EXPECT_NE(a.substr(a.size() - 4000), c.substr(c.size() - 4000));
}

TEST_P(TrainerOn, ALeanTrainingGivesTheSameBits) {
  TrainConfig config = tiny_config(3);
  config.model["dropout"] = "0.5";
  run("normal", config);
  config.memory = TrainMemory::lean;
  run("lean", config);
  expect_same_state(checkpoint("normal"), checkpoint("lean"));
}

TEST_P(TrainerOn, AResumedRunGivesTheBitsOfAnUnbrokenOne) {
  TrainConfig config = tiny_config(6);
  config.accumulate = 2;
  config.model["dropout"] = "0.5";
  config.epochs.reset();
  run("unbroken", config);

  RecordingSink stop(4);
  EXPECT_THROW(train(dataset_, config, folder_ / "broken", false, *executor_, stop), Interrupted);
  const TrainSummary rest = run("broken", TrainConfig{}, true);  // its own config.toml decides
  EXPECT_EQ(rest.steps, 6);
  expect_same_state(checkpoint("unbroken"), checkpoint("broken"));

  const auto unbroken = log("unbroken"), broken = log("broken");
  ASSERT_EQ(unbroken.size(), broken.size());
  for (std::size_t i = 0; i < unbroken.size(); ++i) {
    EXPECT_EQ(unbroken[i].at("step"), broken[i].at("step"));
    EXPECT_EQ(unbroken[i].value("loss", 0.0), broken[i].value("loss", 0.0));
    EXPECT_EQ(unbroken[i].value("mean_iou", 0.0), broken[i].value("mean_iou", 0.0));
  }
}

TEST_P(TrainerOn, GoesOnWithMovedDataOnly) {
  RecordingSink stop(2);
  EXPECT_THROW(train(dataset_, tiny_config(4), folder_ / "a", false, *executor_, stop),
               Interrupted);
  EXPECT_THAT(
      read_file(folder_ / "a/config.toml"),
      AllOf(HasSubstr("# data: "), HasSubstr("split train: 5 labelled pictures, p0.png to")));

  Dataset other = dataset_;
  other.splits["train"].pop_back();
  EXPECT_THAT([&] { train(other, tiny_config(4), folder_ / "a", true, *executor_, sink_); },
              ThrowsMessage<Error>(AllOf(HasSubstr("\"split train: 5 labelled pictures, p0.png to"),
                                         HasSubstr("then, \"split train: 4 labelled pictures"))));

  std::filesystem::rename(dataset_.root, folder_ / "moved");
  dataset_.root = folder_ / "moved";
  EXPECT_EQ(run("a", tiny_config(4), true).steps, 4);
}

// Its time left is then that of the training.
TEST_P(TrainerOn, IsOneStretchOfProgressWithTheValidationsInside) {
  run("a", tiny_config(6));
  EXPECT_THAT(sink_.tasks, testing::ElementsAre("train", "validate", "validate"));
  RecordingSink stop(4), rest;
  EXPECT_THROW(train(dataset_, tiny_config(6), folder_ / "b", false, *executor_, stop),
               Interrupted);
  train(dataset_, tiny_config(6), folder_ / "b", true, *executor_, rest);
  EXPECT_THAT(rest.tasks, testing::ElementsAre("train from step 4", "validate"));
}

TEST_P(TrainerOn, AnInterruptedValidationIsMadeUpFor) {
  const TrainConfig config = tiny_config(6);
  run("unbroken", config);
  RecordingSink stop(3);  // the end of the first epoch: the validation asks, and stops
  EXPECT_THROW(train(dataset_, config, folder_ / "broken", false, *executor_, stop), Interrupted);
  run("broken", config, true);
  expect_same_state(checkpoint("unbroken"), checkpoint("broken"));
  EXPECT_EQ(log("broken").size(), log("unbroken").size());
}

// The run of stage one is the start of stage two, whose encoder stays and whose head learns fast.
TEST_P(TrainerOn, FineTunesAndResumesToTheSameBits) {
  const TrainSummary first = run("first", tiny_config(3));
  TrainConfig config = tiny_config(6);
  config.init = first.model.string();
  config.freeze = "encoder";
  config.lr_factors = {{"head", 10}};
  config.border.weight = 10;
  run("unbroken", config);
  RecordingSink stop(4);
  EXPECT_THROW(train(dataset_, config, folder_ / "broken", false, *executor_, stop), Interrupted);
  std::filesystem::remove(first.model);  // no longer needed
  run("broken", TrainConfig{}, true);
  expect_same_state(checkpoint("unbroken"), checkpoint("broken"));
}

TEST_P(TrainerOn, FrozenPartsStayAsTheyWere) {
  const TrainSummary first = run("first", tiny_config(3));
  TrainConfig config = tiny_config(4);
  config.init = first.model.string();
  config.freeze = "encoder";
  const Model before = load_model(first.model), after = load_model(run("second", config).model);
  EXPECT_EQ(after.preprocess, before.preprocess);
  EXPECT_EQ(after.provenance.at("init"), "first/best.segmentum");
  bool moved = false;
  for (const auto& [name, parameter] : before.parameters.all()) {
    const bool same =
        std::ranges::equal(parameter.value.values(), after.parameters.value(name).values());
    if (name.starts_with("encoder")) {
      EXPECT_TRUE(same) << name;  // running statistics too
    }
    moved = moved || !same;
  }
  EXPECT_TRUE(moved);
}

TEST_P(TrainerOn, RefusesToOverwriteATraining) {
  run("a", tiny_config(1));
  EXPECT_THAT(
      [&] { run("a", tiny_config(1)); },
      ThrowsMessage<Error>(AllOf(HasSubstr("already holds a training"), HasSubstr("--resume"))));
}

TEST_P(TrainerOn, RefusesASecondProcess) {
  const RunFolder busy(folder_ / "a");
  EXPECT_THAT([&] { run("a", tiny_config(1)); },
              ThrowsMessage<Error>(HasSubstr("another training is running in this folder")));
}

TEST_P(TrainerOn, ResumingNothingStartsAndSaysSo) {
  EXPECT_EQ(run("a", tiny_config(1), true).steps, 1);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("nothing to resume")));
  EXPECT_EQ(run("a", tiny_config(1), true).steps, 1);  // a finished one stays finished
}

TEST_P(TrainerOn, WithoutValidationTheLastWeightsAreKept) {
  dataset_.splits.erase("val");
  const TrainSummary summary = run("a", tiny_config(3));
  EXPECT_FALSE(summary.best_mean_iou);
  EXPECT_EQ(summary.best_step, 3);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("no validation, the last weights are kept")));
  EXPECT_EQ(load_model(summary.model).provenance.at("steps"), "3");
}

TEST_P(TrainerOn, OneClassHeadLearnsWithTwoClasses) {
  dataset_ = make_tiny_dataset(folder_ / "two", 2);
  const TrainSummary summary = run("a", tiny_config(3));
  EXPECT_TRUE(load_model(summary.model).one_class_head());
  EXPECT_EQ(load_model(summary.model).classes.size(), 2u);
  EXPECT_EQ(summary.last_scores->classes.size(), 2u);
}

TEST_P(TrainerOn, ALossThatIsNoNumberEndsWithAdviceAndKeepsTheBest) {
  TrainConfig config = tiny_config(9);
  config.model["norm"] = "none";
  config.optimizer.kind = OptimizerKind::sgd;
  config.warmup_steps = 3;  // one epoch goes well
  config.clip = 0;
  config.lr = 1e30;
  EXPECT_THAT([&] { run("a", config); },
              ThrowsMessage<Error>(AllOf(HasSubstr("at step"), HasSubstr("a smaller lr"))));
}

TEST_P(TrainerOn, MinutesBecomeStepsAndLeaveTheBitsAlone) {
  TrainConfig config = tiny_config(1);
  config.steps.reset();
  config.minutes = 0.005;
  config.validate_every.reset();
  const TrainSummary measured = run("measured", config);
  EXPECT_GT(measured.steps, 0);
  TrainConfig again;
  read_train_config(again, read_file(folder_ / "measured/config.toml"), "config.toml");
  EXPECT_EQ(again.steps, measured.steps);
  EXPECT_EQ(again.minutes, std::nullopt);
  run("again", again);
  expect_same_state(checkpoint("measured"), checkpoint("again"));
}

TEST_P(TrainerOn, LearnsTheTinyPictures) {
  TrainConfig config = tiny_config(200);
  config.model = {{"width", "4"}, {"depth", "1"}};
  config.batch = 4;
  config.lr = 0.02;
  config.augment = {.scale_min = 1, .scale_max = 1};
  config.validate_every = 10;
  const TrainSummary summary = run("a", config);
  EXPECT_GT(*summary.best_mean_iou, 0.9);  // grey value alone tells the classes apart
}

// A process that trains is killed without warning, at moments spread over its run.
TEST(KilledTraining, ResumesToTheBitsOfAnUnbrokenRun) {
  const TemporaryFolder folder("killed");
  const Dataset dataset = make_tiny_dataset(folder / "data");
  TrainConfig config = tiny_config(12);
  config.checkpoint_minutes = 1e-5;  // after every step
  const auto train_in_child = [&](const std::string& run, bool resume) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    try {
      RecordingSink sink;
      train(dataset, config, folder / run, resume, *make_cpu_executor(), sink);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  };
  const auto start = std::chrono::steady_clock::now();
  int status = 0;
  ASSERT_GT(::waitpid(train_in_child("unbroken", false), &status, 0), 0);
  ASSERT_EQ(status, 0);
  const auto whole = std::chrono::steady_clock::now() - start;

  int killed = 0;
  for (int attempt = 1; attempt <= 4; ++attempt) {
    const pid_t child = train_in_child("killed", true);
    std::this_thread::sleep_for(whole * attempt / 10);
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GT(killed, 0);
  ::waitpid(train_in_child("killed", true), &status, 0);
  ASSERT_EQ(status, 0);
  expect_same_state(read_file(folder / "unbroken/checkpoint.safetensors"),
                    read_file(folder / "killed/checkpoint.safetensors"));
  EXPECT_EQ(read_file(folder / "unbroken/best.segmentum"),
            read_file(folder / "killed/best.segmentum"));
}

}  // namespace
}  // namespace segmentum
