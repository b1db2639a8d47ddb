#include "configure/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Choose : public testing::Test {
 protected:
  std::vector<Choice> chosen(const std::set<std::string>& given = {}) {
    return choose_settings(dataset_, config_, given, *executor_, sink_);
  }
  static std::set<std::string> keys(const std::vector<Choice>& choices) {
    std::set<std::string> keys;
    for (const Choice& choice : choices) keys.insert(choice.key);
    return keys;
  }

  TemporaryFolder folder_{"choose"};
  Dataset dataset_ = make_tiny_dataset(folder_.path());
  TrainConfig config_ = [] {
    TrainConfig config;
    config.steps = 10;
    config.threads = 1;
    return config;
  }();
  std::unique_ptr<Executor> executor_ = make_cpu_executor();
  RecordingSink sink_;
};

TEST_F(Choose, FitsTheTinyPictures) {
  const std::vector<Choice> choices = chosen();
  set_choices(choices, config_);
  EXPECT_EQ(config_.crop, 32);  // pictures are 24x20
  EXPECT_EQ(config_.model.at("depth"), "2");
  EXPECT_EQ(config_.augment.flip_vertical, 0);  // 5 pictures are too few to tell
  EXPECT_EQ(config_.loss, parse_loss("cross_entropy+lovasz"));
  check(config_);
  for (const Choice& choice : choices) EXPECT_TRUE(can_be_chosen(choice.key)) << choice.key;
}

TEST_F(Choose, StepsAreNoTime) {
  const std::vector<Choice> choices = chosen();
  for (const char* key : {"model.width", "minutes", "batch"}) {
    EXPECT_THAT(keys(choices), Not(Contains(key)));
  }
}

TEST_F(Choose, MinutesBuyAWidth) {
  config_.steps.reset();
  config_.minutes = 1e-6;
  const std::vector<Choice> choices = chosen();
  set_choices(choices, config_);
  EXPECT_EQ(config_.model.at("width"), "16");
  EXPECT_EQ(config_.batch, 4);
  EXPECT_EQ(config_.minutes, 1e-6);
}

TEST_F(Choose, WithoutALengthItIsTwentyMinutes) {
  config_.steps.reset();
  // Nothing else is open that would have to be timed.
  std::set<std::string> given{"model.width"};
  config_.model = {{"width", "1"}};
  const std::vector<Choice> choices = chosen(given);
  EXPECT_EQ(choices.front().key, "minutes");
  EXPECT_EQ(choices.front().value, "20");
  EXPECT_THAT(keys(choices), Contains("batch"));
  EXPECT_THAT(keys(choices), Not(Contains("model.width")));
}

TEST_F(Choose, WhatIsGivenIsNotChosen) {
  config_.crop = 48;
  config_.augment.scale_min = 1.3;
  const std::vector<Choice> choices = chosen({"crop", "augment.scale_min", "loss"});
  for (const char* key : {"crop", "augment.scale_min", "augment.scale_max", "loss"}) {
    EXPECT_THAT(keys(choices), Not(Contains(key)));
  }
  set_choices(choices, config_);
  EXPECT_EQ(config_.model.at("depth"), "2");  // of 48, 6 pixels would be left at 3
}

TEST_F(Choose, AnotherNetworkKeepsItsSize) {
  config_.architecture = "fcn32s";
  EXPECT_THAT(keys(chosen({"architecture"})), Not(Contains("model.depth")));
  config_.architecture = "unet";
  config_.init = "some.segmentum";
  EXPECT_THAT(keys(chosen({"init"})), Not(Contains("model.depth")));
}

TEST_F(Choose, NothingIsChosen) {
  std::set<std::string> all;
  for (const OptionDescription& option : train_options()) all.insert(option.key);
  all.insert({"model.width", "model.layers"});
  EXPECT_THAT(chosen(all), testing::IsEmpty());  // as from another run's config.toml
  config_.architecture = "hypercolumn_boxes";
  EXPECT_THAT(chosen(), testing::IsEmpty());
  config_.architecture = "unet";
  for (Sample& sample : dataset_.splits["train"]) sample.mask.clear();
  EXPECT_THAT(chosen(), testing::IsEmpty());
  dataset_.splits.clear();
  EXPECT_THAT(chosen(), testing::IsEmpty());
}

TEST_F(Choose, EveryChoiceIsASettingWithAReason) {
  config_.steps.reset();
  config_.minutes = 1e-6;
  const std::vector<Choice> choices = chosen();
  std::set<std::string> known{"model.width", "model.depth"};
  for (const OptionDescription& option : train_options()) known.insert(option.key);
  for (const std::string& key : keys(choices)) EXPECT_THAT(known, Contains(key));
  EXPECT_EQ(keys(choices).size(), choices.size());  // each once
}

TEST(ChoiceTable, HasColumns) {
  const std::vector<Choice> choices{
      {"crop", "160", "objects are small"}, {"model.depth", "4", "sees all"}, {"batch", "2", ""}};
  EXPECT_THAT(choice_table(choices),
              ElementsAre("  crop         160  objects are small", "  model.depth  4    sees all",
                          "  batch        2"));
}

}  // namespace
}  // namespace segmentum
