#include "train/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/sha256.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

RunManifest example() {
  return {.calls = {{.command = "segmentum train data",
                     .started = "2026-01-31T12:00:00Z",
                     .ended = "2026-01-31T12:10:00Z",
                     .steps = 100,
                     .program = {{"cpu", "abacus"}}},
                    {.command = "segmentum train data --resume",
                     .started = "2026-01-31T13:00:00Z",
                     .ended = "",
                     .steps = {},
                     .program = {}}},
          .data = "/pictures/dataset.toml",
          .data_folder = "/pictures",
          .data_identity = "2 classes\nsplit train: 8 labelled pictures\n",
          .data_files = 16,
          .data_bytes = 123456789012,
          .data_sha256 = "12ab",
          .changed = {"a.png"},
          .init_sha256 = "34cd",
          .config = {{"lr", "0.002"}, {"model.width", "4"}},
          .weights = WeightHashes{.last = "56", .best = "78"}};
}

TEST(Manifest, ComesBackFromItsFile) {
  const TemporaryFolder folder("manifest");
  const RunManifest manifest = example();
  write_file(folder / "manifest.json", to_json(manifest));
  const RunManifest read = read_manifest(folder / "manifest.json");
  EXPECT_EQ(to_json(read), to_json(manifest));
  EXPECT_EQ(read.calls.at(0).steps, 100);
  EXPECT_EQ(read.calls.at(1).ended, "");
  EXPECT_EQ(read.data_identity, manifest.data_identity);
  EXPECT_EQ(read.weights, manifest.weights);
  EXPECT_EQ(config_of(read).lr, 0.002);
  EXPECT_EQ(config_of(read).model.at("width"), "4");
}

TEST(Manifest, OtherFilesAreRefused) {
  const TemporaryFolder folder("no_manifest");
  for (const char* text : {"hello", "{}", "[]", R"({"format": "segmentum manifest 2"})"}) {
    write_file(folder / "manifest.json", text);
    EXPECT_THAT([&] { read_manifest(folder / "manifest.json"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("manifest.json: is no manifest of a run: "),
                                           Not(HasSubstr("json.exception")))));
  }
  const std::string whole = to_json(example());
  write_file(folder / "manifest.json", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(
      [&] { read_manifest(folder / "manifest.json"); },
      ThrowsMessage<Error>(HasSubstr("is no manifest of a run: it ends too early, at line")));
}

TEST(Manifest, NumbersAreWhole) {
  const TemporaryFolder folder("manifest_numbers");
  const std::string whole = to_json(example());
  for (const char* number : {"1e300", "-1", "16.5", "\"16\"", "18446744073709551615"}) {
    std::string text = whole;
    text.replace(text.find("\"files\": 16") + 9, 2, number);
    write_file(folder / "manifest.json", text);
    EXPECT_THAT([&] { read_manifest(folder / "manifest.json"); },
                ThrowsMessage<Error>(HasSubstr("its \"files\" is no whole number")))
        << number;
  }
}

TEST(Manifest, HoldsEveryOption) {
  TrainConfig config = tiny_config(7);
  config.lr = 0.1 + 0.2;  // as many digits as a number may have
  config.lr_factors["head"] = 1.0 / 3;
  config.steps = 7;
  RunManifest manifest;
  manifest.config = settings_of(config);
  EXPECT_EQ(to_toml(config_of(manifest)), to_toml(config));
}

/// A hash of names, shapes and numbers: of [1, 2] under one name, not under another.
TEST(Manifest, WeightHashesAreThoseOfTheTensorsAlone) {
  const TemporaryFolder folder("weight_hashes");
  Tensor numbers({1, 1, 1, 2});
  std::ranges::copy(std::array{1.0F, 2.0F}, numbers.data());
  const auto write = [&](const char* name, const char* tensor, const char* text) {
    write_safetensors(folder / name, std::vector<NamedTensor>{{tensor, numbers.view()}},
                      {{"note", text}});
  };
  write("a", "parameters.w", "one");
  write("b", "parameters.w", "another");
  write("c", "optimizer.w", "");
  const auto hash = [&](const char* file) { return weight_hashes(folder / file, folder / file); };
  EXPECT_EQ(hash("a"), hash("b"));
  EXPECT_NE(hash("a").best, hash("c").best);
  EXPECT_EQ(hash("c").last, Sha256().digits());  // the optimizer is no weight
  numbers.data()[1] = 3;
  write("b", "parameters.w", "one");
  EXPECT_NE(hash("a").last, hash("b").last);
}

TEST(Manifest, OfATrainingTellsOfEveryCall) {
  const TemporaryFolder folder("run_record");
  const Dataset dataset = make_tiny_dataset(folder / "data");
  const auto executor = make_reference_executor();
  const auto call = [&](RecordingSink& sink, const char* cpu, bool resume) {
    train(dataset, tiny_config(4), folder / "run", resume, *executor, sink,
          {.command = "train", .data = folder / "data", .program = {{"cpu", cpu}}});
  };
  RecordingSink stopping(2);
  EXPECT_THROW(call(stopping, "abacus", false), Interrupted);
  RunManifest manifest = read_manifest(folder / "run/manifest.json");
  ASSERT_EQ(manifest.calls.size(), 1U);
  EXPECT_EQ(manifest.calls[0].ended, "");
  EXPECT_FALSE(manifest.weights.has_value());
  EXPECT_EQ(manifest.data_files, 14);

  RecordingSink sink;
  call(sink, "slide rule", true);
  EXPECT_THAT(sink.messages, Contains(HasSubstr("(cpu was abacus, is slide rule)")));
  manifest = read_manifest(folder / "run/manifest.json");
  ASSERT_EQ(manifest.calls.size(), 2U);
  EXPECT_EQ(manifest.calls[1].steps, 4);
  EXPECT_NE(manifest.calls[1].ended, "");
  EXPECT_EQ(manifest.weights,
            weight_hashes(folder / "run/checkpoint.safetensors", folder / "run/best.segmentum"));
  EXPECT_TRUE(manifest.changed.empty());
}

/// The checkpoint is what a training goes on from; the manifest is a record of it.
TEST(Manifest, ADamagedOneDoesNotStopATrainingThatGoesOn) {
  for (const char* name : {"manifest.json", "data.sha256"}) {
    const TemporaryFolder folder(std::string("damaged_") + name);
    const Dataset dataset = make_tiny_dataset(folder / "data");
    const auto executor = make_reference_executor();
    const auto call = [&](RecordingSink& sink, bool resume) {
      train(dataset, tiny_config(4), folder / "run", resume, *executor, sink, {});
    };
    RecordingSink stopping(2), sink;
    EXPECT_THROW(call(stopping, false), Interrupted);
    const std::string file = (folder / "run" / name).string();
    write_file(file, read_file(file).substr(0, 40));
    call(sink, true);
    EXPECT_THAT(sink.messages,
                Contains(AllOf(HasSubstr(file), HasSubstr("This training goes on all the same"),
                               Not(HasSubstr("json.exception")))));
    const RunManifest manifest = read_manifest(folder / "run/manifest.json");
    ASSERT_EQ(manifest.calls.size(), 1U) << name;
    EXPECT_EQ(manifest.calls[0].steps, 4);
    EXPECT_TRUE(manifest.weights.has_value());
  }
}

}  // namespace
}  // namespace segmentum
