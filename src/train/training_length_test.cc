#include "train/training_length.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

TEST(LengthWithin, CountsValidationsIn) {
  const TrainingSpeed speed{.step_seconds = 0.5, .validation_seconds = 5};
  // An epoch is 10 steps and, every second one, a validation: 7.5 s for 10 steps.
  const TrainingLength given = length_within(75, speed, 10, 2);
  EXPECT_EQ(given.steps, 100);
  EXPECT_EQ(given.validate_every, 2);
}

TEST(LengthWithin, GivesATenthToValidation) {
  const TrainingSpeed speed{.step_seconds = 0.5, .validation_seconds = 5};
  const TrainingLength chosen = length_within(200, speed, 10, std::nullopt);
  EXPECT_EQ(chosen.steps, 360);  // 4 validations: 20 s of 200 s; 180 s are 360 steps, 36 epochs
  EXPECT_EQ(chosen.validate_every, 9);
}

TEST(LengthWithin, ValidatesAtMostTwentyTimesAndAtLeastOnce) {
  EXPECT_EQ(length_within(1000, {.step_seconds = 1}, 1, std::nullopt).validate_every, 50);
  const TrainingLength short_one =
      length_within(10, {.step_seconds = 1, .validation_seconds = 100}, 4, std::nullopt);
  EXPECT_EQ(short_one.steps, 1);
  EXPECT_EQ(short_one.validate_every, 1);
}

class DecideLength : public testing::Test {
 protected:
  TrainConfig decided(const TrainConfig& config) {
    TrainingSetup setup = set_up(dataset_, config, sink_);
    decide_length(setup, *executor_, sink_);
    return setup.config;
  }

  TemporaryFolder folder_{"length"};
  Dataset dataset_ = make_tiny_dataset(folder_.path());
  TrainConfig config_ = tiny_config(1);
  std::unique_ptr<Executor> executor_ = make_reference_executor();
  RecordingSink sink_;
};

TEST_F(DecideLength, FromEpochs) {
  config_.steps.reset();
  config_.epochs = 40;
  config_.validate_every.reset();
  const TrainConfig config = decided(config_);
  EXPECT_EQ(config.steps, 120);  // 3 steps an epoch
  EXPECT_EQ(config.validate_every, 2);
  EXPECT_EQ(config.warmup_steps, 6);
  EXPECT_DOUBLE_EQ(*config.ema_decay, 1 - 20.0 / 120);
  EXPECT_EQ(config.epochs, std::nullopt);
}

TEST_F(DecideLength, ByDefaultTwoThousandSteps) {
  config_.steps.reset();
  EXPECT_EQ(decided(config_).steps, 2000);
}

TEST_F(DecideLength, LeavesWhatIsSet) {
  config_.steps = 50;
  config_.warmup_steps = 0;
  config_.ema_decay = 0;
  const TrainConfig config = decided(config_);
  EXPECT_EQ(config.steps, 50);
  EXPECT_EQ(config.warmup_steps, 0);
  EXPECT_EQ(config.ema_decay, 0);
  EXPECT_EQ(config.validate_every, 1);
}

TEST_F(DecideLength, StopsWhenAsked) {
  config_.steps.reset();
  config_.minutes = 1;
  RecordingSink stop(0);
  TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_THROW(decide_length(setup, *executor_, stop), Interrupted);
}

}  // namespace
}  // namespace segmentum
