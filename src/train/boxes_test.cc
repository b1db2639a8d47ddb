// Trainings on boxes: the same road as those on whole pictures, with an object an example.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model_file/model.h"
#include "segmentum/error.h"
#include "train/setup.h"
#include "train/tiny_dataset.h"
#include "train/trainer.h"
#include "train/validation.h"

namespace segmentum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// The squares of each picture are its objects: one of each class, so that the mask numbers them.
Dataset tiny_objects(const std::filesystem::path& root, int classes = 3) {
  Dataset dataset = make_tiny_dataset(root, classes);
  for (auto& [name, samples] : dataset.splits) {
    for (Sample& sample : samples) sample.instances = sample.mask;
  }
  return dataset;
}

TrainConfig box_config(int steps) {
  TrainConfig config = tiny_config(steps);
  config.architecture = "hypercolumn_boxes";
  config.model = {{"width", "4"}, {"layers", "1,2,3"}, {"grid", "2"}, {"side", "32"}};
  config.augment = {};
  return config;
}

class BoxTraining : public testing::Test {
 protected:
  TemporaryFolder folder_{"boxes"};
  Dataset dataset_ = tiny_objects(folder_.path() / "data");
  RecordingSink sink_;
};

TEST_F(BoxTraining, AnEpochShowsEveryObject) {
  TrainConfig config = box_config(7);
  config.batch = 3;
  const TrainingSetup setup = set_up(dataset_, config, sink_);
  ASSERT_TRUE(setup.boxes);
  EXPECT_EQ(setup.examples(), 10);  // two in each of five pictures
  EXPECT_EQ(setup.steps_per_epoch(), 4);
  EXPECT_EQ(setup.batch_shape(), Shape({3, 3, 32, 32}));
  EXPECT_EQ(setup.graph.node(setup.graph.output("logits")).channels, 2);  // no background
  EXPECT_EQ(setup.config.class_weights, WeightRule::none);
  EXPECT_THAT(
      sink_.messages,
      Contains(HasSubstr("10 objects in 5 pictures to train on, from the instance maps of 5")));
}

TEST_F(BoxTraining, SaysWhatItNeeds) {
  TrainConfig config = box_config(7);
  config.class_weights = WeightRule::enet;
  EXPECT_THAT([&] { set_up(dataset_, config, sink_); },
              ThrowsMessage<Error>(HasSubstr("are for networks on whole pictures")));
  config = box_config(7);
  config.border.weight = 10;
  EXPECT_THAT([&] { set_up(dataset_, config, sink_); },
              ThrowsMessage<Error>(HasSubstr("border weights are for networks on whole pictures")));
  config.box_jitter = 0.5;
  EXPECT_THAT([&] { check(config); }, ThrowsMessage<Error>(HasSubstr("box_jitter")));
}

TEST_F(BoxTraining, LearnsTheTinyObjects) {
  const auto executor = make_cpu_executor();
  TrainConfig config = box_config(150);
  config.validate_every = 10;
  const TrainSummary summary = train(dataset_, config, folder_ / "run", false, *executor, sink_);
  EXPECT_GT(*summary.best_mean_iou, 0.8);  // grey value alone tells objects from the ground
  const Model model = load_model(summary.model);
  EXPECT_EQ(model.boxes, (BoxCrop{.side_px = 32, .expand = 1.2f}));
  EXPECT_EQ(model.classes.size(), 3u);
}

// Constant logits mark all of each crop: the objects are found, and all around them is wrong.
TEST_F(BoxTraining, ValidationCountsThePixelsOfTheCrops) {
  TrainConfig config = box_config(7);
  const TrainingSetup setup = set_up(dataset_, config, sink_);
  ParameterStore parameters = initialise(setup.graph, 1);
  for (const ParameterSpec& spec : setup.graph.parameters) {
    if (!spec.name.starts_with("score_")) continue;
    const bool bias = spec.role == ParameterRole::bias;
    std::ranges::fill(parameters.change(spec.name).values(), bias ? 1.0f : 0.0f);
  }
  const auto executor = make_cpu_executor();
  const ConfusionMatrix counts = validate(setup, parameters, setup.dataset, *executor, sink_);
  EXPECT_EQ(counts(0, 0) + counts(1, 0) + counts(2, 0), 0);
  EXPECT_EQ(counts(1, 2) + counts(2, 1), 0);
  // Squares of 36 pixels in two pictures, less what the other one or ignored rows cover.
  for (const int k : {1, 2}) {
    EXPECT_LE(counts(k, k), 72);
    EXPECT_GE(counts(k, k), 30);
  }
  // A square grown by 1.2 has 7.2 pixels on a side: one more or none.
  EXPECT_LE(counts(0, 1) + counts(0, 2), 4 * (64 - 36));
}

}  // namespace
}  // namespace segmentum
