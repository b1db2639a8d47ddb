#include "train/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Setup : public testing::Test {
 protected:
  void expect_refused(const std::string& says) {
    EXPECT_THAT([&] { set_up(dataset_, config_, sink_); }, ThrowsMessage<Error>(HasSubstr(says)));
  }

  TemporaryFolder folder_{"setup"};
  Dataset dataset_ = make_tiny_dataset(folder_.path());
  TrainConfig config_ = tiny_config(7);
  RecordingSink sink_;
};

TEST_F(Setup, DecidesForManyClasses) {
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.config.one_class, false);
  EXPECT_EQ(setup.config.class_weights, WeightRule::median_frequency);
  EXPECT_EQ(setup.loss.class_weights.size(), 3u);
  EXPECT_LT(setup.loss.class_weights[0], setup.loss.class_weights[1]);  // the ground is large
  EXPECT_EQ(setup.graph.node(setup.graph.output("logits")).channels, 3);
  EXPECT_EQ(setup.config.model.at("up"), "transpose");  // defaults are written out
  EXPECT_EQ(setup.cache_bytes, 5u * 20 * 24 * (3 + 2));
}

TEST_F(Setup, DecidesForTwoClasses) {
  dataset_ = make_tiny_dataset(folder_ / "two", 2);
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.config.one_class, true);
  EXPECT_EQ(setup.config.class_weights, WeightRule::none);
  EXPECT_TRUE(setup.loss.class_weights.empty());
  EXPECT_EQ(setup.graph.node(setup.graph.output("logits")).channels, 1);
}

TEST_F(Setup, CountsEpochs) {
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.steps_per_epoch(), 3);  // 5 pictures, 2 a step
  EXPECT_EQ(setup.epochs(), 3);
  EXPECT_EQ(setup.end_of_epoch(0), 3);
  EXPECT_EQ(setup.end_of_epoch(2), 7);  // cut short
}

TEST_F(Setup, FreezesBatchNormWhereABatchSaysTooLittle) {
  EXPECT_EQ(set_up(dataset_, config_, sink_).config.frozen_batch_norm, false);  // 2 of 4x4
  config_.crop = 8;  // 2 of 2x2 at the lowest level
  EXPECT_EQ(set_up(dataset_, config_, sink_).config.frozen_batch_norm, true);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("would see 8 values of a batch")));
  config_.frozen_batch_norm = false;
  EXPECT_EQ(set_up(dataset_, config_, sink_).config.frozen_batch_norm, false);
}

// The atrous pyramid's image pooling has one value of each picture: two are enough there.
TEST_F(Setup, BatchNormAfterAGlobalMeanNeedsTwoPictures) {
  config_.architecture = "deeplabv3_mobilenet_v3_large";
  config_.model = {{"width", "2"}};
  config_.crop = 64;  // 4x4 at output stride 16
  EXPECT_EQ(set_up(dataset_, config_, sink_).config.frozen_batch_norm, false);
  config_.batch = 1;
  EXPECT_EQ(set_up(dataset_, config_, sink_).config.frozen_batch_norm, true);
}

TEST_F(Setup, LeavesPicturesWithoutMaskOut) {
  dataset_.splits["train"].push_back({.name = "x", .image = "p0.png"});
  EXPECT_EQ(set_up(dataset_, config_, sink_).samples().size(), 5u);
  EXPECT_THAT(sink_.messages,
              Contains(HasSubstr("1 pictures of the split \"train\" have no mask")));
}

TEST_F(Setup, SaysWhyThereIsNothingToTrain) {
  config_.train_split = "learn";
  expect_refused("learn");
  config_.train_split = "train";
  config_.one_class = true;
  expect_refused("one_class is true but the data set has 3 classes");
  config_.one_class.reset();
  config_.model["widht"] = "3";
  expect_refused("widht");
  config_.model.erase("widht");
  config_.architecture = "nonet";
  expect_refused("nonet");
  config_.architecture = "unet";
  for (Sample& sample : dataset_.splits["train"]) sample.mask.clear();
  expect_refused("the split \"train\" has no picture with a mask to train on");
  dataset_.classes.resize(1);
  expect_refused("the data set has 1 class; at least two are needed");
}

TEST_F(Setup, TheLoaderStartsWhereTheStepIs) {
  config_.accumulate = 3;
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.loader_options(4).first_step, 12);
  EXPECT_EQ(setup.loader_options(4).augment.crop_height, 16);
}

}  // namespace
}  // namespace segmentum
