// Foreign checkpoints become models, or one line says why not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/codec.h"
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

}  // namespace
}  // namespace segmentum
