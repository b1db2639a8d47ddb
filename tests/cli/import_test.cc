// Foreign checkpoints become models, or one line says why not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "graph/parameter_store.h"
#include "image/codec.h"
#include "model_file/safetensors.h"
#include "models/registry.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string golden(const std::string& name) {
  return std::string(SEGMENTUM_SOURCE_DIR) + "/tests/golden/checkpoints/" + name;
}

TEST(ImportCommand, ListShowsTheTensors) {
  const fs::path file = fresh_folder("import_list") / "tensors.json";
  const Outcome outcome = run({"import", golden("training_legacy.pth"), "--list", "--json", file});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("float32   2x3x2x2"), HasSubstr("7 tensors, 35 numbers"),
                                 HasSubstr("the weights stand under \"model\"")));
  const json tensors = json::parse(read_file(file)).at("tensors");
  EXPECT_EQ(tensors.size(), 7u);
  EXPECT_EQ(tensors.at(0), (json{{"name", "bn.bias"}, {"type", "float32"}, {"shape", "2"}}));
}

TEST(ImportCommand, WhatDoesNotFitIsShownSideBySide) {
  const fs::path out = fresh_folder("import_misfit") / "model.segmentum";
  const Outcome outcome = run({"import", golden("tiny_zip.pth"), "--as", "unet", "--out", out});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("(missing)  "), HasSubstr("conv.weight 2x3x2x2  (unexpected)"),
                    HasSubstr("\nsegmentum: " + golden("tiny_zip.pth") + ": does not fit unet: ")));
  EXPECT_FALSE(fs::exists(out));
}

TEST(ImportCommand, CodeIsRefusedInOneLine) {
  const fs::path out = fresh_folder("import_code") / "model.segmentum";
  const Outcome outcome =
      run({"import", golden("module_legacy.pth"), "--as", "unet", "--out", out});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(line_count(outcome.err), 1);
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("segmentum: "), HasSubstr("activation.ReLU, which is refused")));
}

// A model file is a safetensors file like others, with two tensors that no network has.
TEST(ImportCommand, AnImportedModelPredicts) {
  const fs::path folder = fresh_folder("import_model");
  const std::string trained = tiny_model(folder);
  ASSERT_EQ(run({"describe", trained, "--json", folder / "trained.json"}).status, 0);
  const json about = json::parse(read_file(folder / "trained.json"));
  std::vector<std::string> words{"import",
                                 trained,
                                 "--as",
                                 about.at("architecture"),
                                 "--out",
                                 folder / "imported.segmentum",
                                 "--lenient",
                                 "--json",
                                 folder / "import.json"};
  for (const auto& [name, value] : about.at("settings").items()) {
    words.insert(words.end(), {"--set", name + "=" + value.get<std::string>()});
  }
  const Outcome outcome = run(words);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("0 missing, 2 unexpected, 0 misshapen"),
                    EndsWith("Wrote " + (folder / "imported.segmentum").string() + "\n")));
  const json result = json::parse(read_file(folder / "import.json"));
  EXPECT_EQ(result.at("unexpected"), (json{"golden.input", "golden.logits"}));
  EXPECT_EQ(run({"describe", "--selftest", folder / "imported.segmentum"}).status, 0);
  write_png(folder / "a.png", Image(20, 30, 3));
  EXPECT_EQ(
      run({"predict", folder / "imported.segmentum", folder / "a.png", "--out", folder / "out"})
          .status,
      0);
  EXPECT_TRUE(fs::exists(folder / "out" / "a.png"));
}

/// A ResNet-18 of width 2 under torchvision's names.
void write_resnet18(const fs::path& path) {
  const ParameterStore network = initialise(
      build_model("deeplab_v3", {.settings = {{"backbone", "resnet18"}, {"width", "2"}}}), 1);
  const Tensor fc({10, 16});
  const BasicTensor<std::int64_t> count({1});
  std::vector<NamedTensor> tensors{{"fc.weight", fc.view()},
                                   {"bn1.num_batches_tracked", count.view()}};
  const std::string prefix = "backbone.";
  for (const auto& [name, parameter] : network.all()) {
    if (!name.starts_with(prefix)) continue;
    tensors.push_back({name.substr(prefix.size()), parameter.value.view()});
  }
  write_safetensors(path, tensors);
}

TEST(ImportCommand, AClassifierBecomesTheBackboneOfATraining) {
  const fs::path folder = fresh_folder("import_backbone"), model = folder / "start.segmentum";
  write_tiny_scenes(folder / "data");
  ASSERT_EQ(run({"init", folder / "data"}).status, 0);
  write_resnet18(folder / "resnet18.safetensors");
  const auto import = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"import", folder / "resnet18.safetensors",
                                   "--as",   "deeplab_v3",
                                   "--out",  model,
                                   "--set",  "width=2",
                                   "--set",  "aspp_channels=4"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  const Outcome imported =
      import({"--classes", folder / "data" / "dataset.toml", "--json", folder / "import.json"});
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(
      imported.out,
      AllOf(HasSubstr("backbone=resnet18, as the checkpoint's names have it"),
            HasSubstr("100 tensors taken: the backbone alone, from a ResNet classifier"),
            HasSubstr("32 parameters of aspp, classifier start as initialised; 1 tensor of the "
                      "classifier's own left out (fc)"),
            HasSubstr("no trained network"), HasSubstr("RGB in [0,1], ImageNet's mean")));
  const json about = json::parse(read_file(folder / "import.json"));
  EXPECT_TRUE(about.at("backbone_alone").get<bool>());
  EXPECT_EQ(about.at("left"), (json{"fc.weight"}));

  const Outcome trained =
      run({"train", folder / "data", "--init", model, "--out", folder / "run", "--steps", "1",
           "--threads", "1", "--freeze", "backbone", "--set", "crop=32", "batch=2"});
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.out, AllOf(HasSubstr("start.segmentum: 132 of 132 tensors taken"),
                                 HasSubstr("frozen: backbone (")));

  const Outcome grey = import({"--channels", "1"});
  EXPECT_THAT(grey.out, AllOf(HasSubstr("conv1.weight adapted to 1 input channel\n"),
                              HasSubstr("1 channel in [0,1], mean 0.449, deviation 0.226")));
  const Outcome five = import({"--channels", "5"});
  EXPECT_THAT(five.out, AllOf(HasSubstr("adapted to 5 input channels"),
                              HasSubstr("5 channels in [0,1], ImageNet's mean and deviation of")));
}

}  // namespace
}  // namespace segmentum
