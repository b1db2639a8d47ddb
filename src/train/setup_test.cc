#include "train/setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/registry.h"
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

TEST_F(Setup, OnlyWhoSaysSoTrainsWithoutValidation) {
  config_.val_split = "vall";
  expect_refused(
      "there is no split \"vall\" with masks to validate on; there are: train, val; "
      "val_split=none trains");
  for (const char* absent : {"none", "val"}) {
    dataset_.splits.erase("val");
    config_.val_split = absent;
    EXPECT_FALSE(set_up(dataset_, config_, sink_).validates());
    EXPECT_THAT(sink_.messages, Contains(HasSubstr("no validation, the last weights are kept")));
  }
}

TEST_F(Setup, WithoutInitThePicturesAreNormalisedByTheData) {
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.preprocess.mean, dataset_.mean);
  EXPECT_EQ(setup.config.mean, dataset_.mean);  // for --resume and for another run
  EXPECT_EQ(setup.config.architecture, "unet");
  config_.std = {0.5f, 0.5f, 0.25f};
  EXPECT_EQ(set_up(dataset_, config_, sink_).preprocess.std, config_.std);
  config_.std = {0.5f};
  expect_refused("std has 1 numbers; the pictures have 3 channels, and std=auto");
  config_.std = {0.5f, 0.5f, 0.0f};
  expect_refused("std holds 0; it must be above 0");
}

/// A model file of the tiny network: all weights 0.5, its own normalisation.
class SetupFromInit : public Setup {
 protected:
  void write_init(const std::map<std::string, std::string>& settings, int channels = 3,
                  const std::string& architecture = "unet") {
    Model model;
    model.settings = resolved_settings(architecture, {.settings = settings});
    model.graph =
        build_model(architecture, {.input_channels = channels, .classes = 3, .settings = settings});
    model.parameters = initialise(model.graph, 1);
    for (const ParameterSpec& spec : model.graph.parameters) {
      std::ranges::fill(model.parameters.change(spec.name).values(), 0.5f);
    }
    model.preprocess.mean.assign(static_cast<std::size_t>(channels), 0.25f);
    model.preprocess.std.assign(static_cast<std::size_t>(channels), 0.125f);
    model.classes = {{"x", {}}, {"y", {}}, {"z", {}}};
    config_.init = (folder_ / "init.segmentum").string();
    save_model(config_.init, model);
  }
};

TEST_F(SetupFromInit, NetworkNormalisationAndWeightsAreTheModels) {
  write_init({{"width", "3"}, {"depth", "1"}});
  config_.model = {{"depth", "1"}};
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.config.architecture, "unet");
  EXPECT_EQ(setup.config.model.at("width"), "3");
  EXPECT_EQ(setup.preprocess.mean, (std::vector<float>{0.25f, 0.25f, 0.25f}));
  EXPECT_EQ(setup.config.std, (std::vector<float>{0.125f, 0.125f, 0.125f}));
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("init.segmentum: 34 of 34 tensors taken")));
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("have other names (x, y, z)")));
  const TrainingState state = initial_state(setup);
  for (const auto& [name, parameter] : state.parameters.all()) {
    EXPECT_THAT(parameter.value.values(), testing::Each(0.5f)) << name;
  }
}

TEST_F(SetupFromInit, GivenSettingsGoFirst) {
  write_init({{"width", "3"}, {"depth", "1"}});
  config_.model = {{"depth", "2"}};
  config_.mean = {0.5f, 0.5f, 0.5f};
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.config.model.at("depth"), "2");
  EXPECT_EQ(setup.preprocess.mean, config_.mean);
  EXPECT_EQ(setup.preprocess.std[0], 0.125f);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("not in that model: encoder.2.conv1")));
}

TEST_F(SetupFromInit, AnotherNetworkOfTheFamily) {
  write_init({{"width", "2"}, {"fc_channels", "8"}}, 3, "fcn32s");
  config_.model.clear();
  config_.architecture = "fcn16s";
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.config.model.at("fc_channels"), "8");
  const TrainingState state = initial_state(setup);
  EXPECT_EQ(state.parameters.value("score_fr.weight").data()[0], 0.5f);
  EXPECT_NE(state.parameters.value("score_pool4.weight").data()[0], 0.5f);
  config_.architecture = "unet";
  config_.model = {{"width", "2"}, {"depth", "1"}};
  expect_refused("init.segmentum: no parameter of this model (fcn32s) has the name and shape of");
}

TEST_F(SetupFromInit, OtherChannelsKeepTheDatasNormalisation) {
  write_init({{"width", "2"}, {"depth", "1"}}, 5);
  config_.model.clear();
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.preprocess.mean, dataset_.mean);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("adapted: encoder.0.conv1.weight, from 5")));
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("that model reads 5 channels")));
  // 0.5 * 5 / 3 in each of three channels.
  const TrainingState state = initial_state(setup);
  EXPECT_FLOAT_EQ(state.parameters.value("encoder.0.conv1.weight").data()[0], 2.5f / 3);
}

TEST_F(SetupFromInit, ACheckpointNeedsNoModel) {
  write_init({{"width", "2"}, {"depth", "2"}});
  std::filesystem::remove(config_.init);
  expect_refused("init.segmentum");
  const TrainingSetup setup = set_up(dataset_, config_, sink_, Start::checkpoint);
  EXPECT_FALSE(setup.transfer);
  EXPECT_EQ(setup.config.init, config_.init);
}

TEST_F(Setup, FreezesWhatIsNamed) {
  config_.freeze = "encoder, *.up.bias";
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_TRUE(setup.frozen.contains("encoder.2.bn2.weight"));
  EXPECT_FALSE(setup.frozen.contains("encoder.2.bn2.running_mean"));  // was never learnt
  EXPECT_TRUE(setup.frozen.contains("decoder.0.up.bias"));
  EXPECT_FALSE(setup.frozen.contains("decoder.0.up.weight"));
  EXPECT_EQ(setup.step_options().frozen, setup.frozen);
  EXPECT_FALSE(initial_state(setup).optimizer.state().contains("mean.encoder.0.conv1.weight"));
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("frozen: encoder, *.up.bias (")));
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("what is frozen stays random")));
  config_.freeze = "backbone";
  EXPECT_TRUE(set_up(dataset_, config_, sink_).frozen.contains("encoder.2.bn2.weight"));
  config_.freeze = "middle";
  expect_refused(
      "no parameter of unet is meant by \"middle\"; its parts are encoder, decoder, "
      "head");
  config_.freeze = "*";
  expect_refused("leaves nothing to learn");
  config_.freeze = "";
  config_.lr_factors = {{"tail", 0.1}};
  expect_refused("is meant by \"tail\"");
}

TEST_F(Setup, BorderWeightsTellWhereObjectsComeFrom) {
  config_.border.weight = 10;
  dataset_.splits["train"][0].instances = "p0_instances.png";
  const TrainingSetup setup = set_up(dataset_, config_, sink_);
  EXPECT_EQ(setup.loader_options(0).border.weight, 10);
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("the instance maps of 1 of 5 pictures")));
  EXPECT_EQ(setup.cache_bytes, 5u * 20 * 24 * (3 + 2 + 2));
  EXPECT_EQ(setup.largest_validation, Shape({1, 3, 20, 24}));
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
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("split \"train\": 1 picture without a mask")));
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
