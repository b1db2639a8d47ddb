#include "train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TrainingState state_of(std::int64_t width, OptimizerKind kind = OptimizerKind::adamw) {
  ParameterStore parameters;
  Tensor value({width});
  for (std::int64_t i = 0; i < width; ++i) value.data()[i] = 0.1f * static_cast<float>(i);
  parameters.add("w", ParameterRole::weight, std::move(value));
  Optimizer optimizer({.kind = kind}, parameters);
  WeightAverage average(parameters, 0.9);
  return {std::move(parameters), std::move(optimizer), std::move(average), {}};
}

class Checkpoint : public testing::Test {
 protected:
  TemporaryFolder folder_{"checkpoint"};
  std::filesystem::path file_ = folder_ / "checkpoint.safetensors";
};

TEST_F(Checkpoint, GivesEverythingBack) {
  TrainingState saved = state_of(3);
  Gradients gradients;
  gradients.emplace("w", saved.parameters.value("w").clone());
  saved.optimizer.step(saved.parameters, gradients, 0.1);
  saved.average->update(saved.parameters);
  saved.position = {.step = 7,
                    .epochs_done = 2,
                    .best_mean_iou = 0.1 + 0.2,
                    .best_step = 5,
                    .loss_sum = 1.0 / 3,
                    .norm_sum = 1e-300,
                    .loss_count = 3,
                    .log_bytes = 1234};
  save_checkpoint(file_, saved, "2 classes\n");

  TrainingState loaded = state_of(3);
  const float* place = loaded.parameters.value("w").data();
  load_checkpoint(file_, loaded);
  EXPECT_EQ(loaded.parameters.value("w").data(), place);  // plans hold on to it
  EXPECT_GT(loaded.parameters.at("w").version, 0u);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(loaded.parameters.value("w").data()[i], saved.parameters.value("w").data()[i]);
    EXPECT_EQ(loaded.optimizer.state().at("square.w").data()[i],
              saved.optimizer.state().at("square.w").data()[i]);
    EXPECT_EQ(loaded.average->parameters().value("w").data()[i],
              saved.average->parameters().value("w").data()[i]);
  }
  EXPECT_EQ(loaded.optimizer.steps(), 1);
  EXPECT_EQ(loaded.average->updates(), 1);
  EXPECT_EQ(loaded.position.step, 7);
  EXPECT_EQ(loaded.position.best_mean_iou, 0.1 + 0.2);
  EXPECT_EQ(loaded.position.loss_sum, 1.0 / 3);
  EXPECT_EQ(loaded.position.norm_sum, 1e-300);
  EXPECT_EQ(loaded.position.log_bytes, 1234);
  EXPECT_EQ(stored_data_identity(file_), "2 classes\n");
}

TEST_F(Checkpoint, SaysWhatDoesNotFit) {
  save_checkpoint(file_, state_of(3), "");
  EXPECT_EQ(stored_data_identity(file_), "");
  TrainingState wider = state_of(4);
  EXPECT_THAT([&] { load_checkpoint(file_, wider); },
              ThrowsMessage<Error>(AllOf(HasSubstr(file_.string()), HasSubstr("parameters.w is 3, "
                                                                              "expected 4"))));
  TrainingState other = state_of(3, OptimizerKind::sgd);
  EXPECT_THAT([&] { load_checkpoint(file_, other); },
              ThrowsMessage<Error>(HasSubstr("it has no tensor optimizer.momentum.w")));
}

/// One bit of the weights, of the step or of the data's identity: all of it counts.
TEST_F(Checkpoint, OneFlippedBitIsNoticed) {
  TrainingState saved = state_of(3);
  saved.position.step = 7;
  save_checkpoint(file_, saved, "2 classes\n");
  const std::string whole = read_file(file_);
  TrainingState state = state_of(3);
  const auto step = whole.find("\"step\":\"7");
  ASSERT_NE(step, std::string::npos);
  for (const std::size_t at : {whole.size() - 2, step + 8, whole.find("2 classes")}) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    write_file(file_, flipped);
    const auto is_told = ThrowsMessage<Error>(
        AllOf(HasSubstr(file_.string() + ": is damaged: its content is not what was saved"),
              HasSubstr("put a copy of it in its place, or train in another folder")));
    EXPECT_THAT([&] { load_checkpoint(file_, state); }, is_told) << at;
    EXPECT_THAT([&] { stored_data_identity(file_); }, is_told) << at;
  }
  EXPECT_EQ(state.position.step, 0);
}

TEST_F(Checkpoint, ThoseWithoutAHashAreRead) {
  save_checkpoint(file_, state_of(3), "2 classes\n");
  auto metadata = SafetensorsReader(file_).metadata();
  metadata.erase("sha256");
  metadata.at("step") = "9";
  replace_metadata(file_, metadata);
  TrainingState state = state_of(3);
  load_checkpoint(file_, state);
  EXPECT_EQ(state.position.step, 9);
  metadata.at("step") = "-1";
  replace_metadata(file_, metadata);
  EXPECT_THAT([&] { load_checkpoint(file_, state); },
              ThrowsMessage<Error>(HasSubstr("its step is negative")));
}

TEST_F(Checkpoint, RefusesADamagedFile) {
  save_checkpoint(file_, state_of(3), "");
  const std::string whole = read_file(file_);
  TrainingState state = state_of(3);
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, whole.size() - 1}) {
    write_file(file_, whole.substr(0, size));
    EXPECT_THAT(
        [&] { load_checkpoint(file_, state); },
        ThrowsMessage<Error>(
            AllOf(HasSubstr(file_.string() + ": is damaged: "),
                  testing::EndsWith("put a copy of it in its place, or train in another folder"))));
  }
  EXPECT_EQ(state.position.step, 0);
  write_file(folder_ / "best.segmentum", "");
  EXPECT_THAT([&] { load_checkpoint(file_, state); },
              ThrowsMessage<Error>(HasSubstr(": --init " + (folder_ / "best.segmentum").string())));
}

}  // namespace
}  // namespace segmentum
