// Models as ONNX files, and ONNX files as models.
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
  return std::string(SEGMENTUM_SOURCE_DIR) + "/tests/golden/onnx/" + name;
}

TEST(OnnxCommands, AModelGoesOutAndComesBack) {
  const fs::path folder = fresh_folder("onnx_there_and_back");
  const std::string model = tiny_model(folder);
  const Outcome out = run({"export", model, folder / "net.onnx", "--json", folder / "export.json"});
  ASSERT_EQ(out.status, 0) << out.err;
  EXPECT_THAT(out.out, AllOf(StartsWith("Wrote " + (folder / "net.onnx").string() +
                                        ": operator set 17, any number of pictures of any size"),
                             HasSubstr("read back"), HasSubstr("0 of 1353 labels changed")));
  const json written = json::parse(read_file(folder / "export.json"));
  EXPECT_LE(written.at("compared").at(0).at("largest_difference"), 1e-4);
  const Outcome in = run({"import", folder / "net.onnx", "--out", folder / "back.segmentum",
                          "--json", folder / "import.json"});
  ASSERT_EQ(in.status, 0) << in.err;
  EXPECT_THAT(in.out, AllOf(HasSubstr("ONNX of segmentum"), HasSubstr("as the file has them"),
                            EndsWith("Wrote " + (folder / "back.segmentum").string() + "\n")));
  EXPECT_EQ(json::parse(read_file(folder / "import.json")).at("opset"), 17);
  EXPECT_EQ(run({"describe", "--selftest", folder / "back.segmentum"}).status, 0);
  write_png(folder / "a.png", Image(20, 30, 3));
  for (const std::string& name : {model, (folder / "back.segmentum").string()}) {
    EXPECT_EQ(
        run({"predict", name, folder / "a.png", "--out", folder / fs::path(name).stem()}).status,
        0);
  }
  EXPECT_EQ(read_file(folder / fs::path(model).stem() / "a.png"),
            read_file(folder / "back" / "a.png"));
}

TEST(OnnxCommands, OneSizeLabelsAndBytes) {
  const fs::path folder = fresh_folder("onnx_fixed");
  const std::string model = tiny_model(folder);
  const Outcome out = run({"export", model, folder / "net.onnx", "--size", "40x56", "--argmax",
                           "--preprocess", "--fold", "--opset", "11"});
  ASSERT_EQ(out.status, 0) << out.err;
  EXPECT_THAT(out.out, HasSubstr("operator set 11, one picture of 40x56, samples 0 to 255"));
  const Outcome list = run({"import", folder / "net.onnx", "--list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_THAT(list.out, AllOf(HasSubstr("image [1,3,40,56]"), HasSubstr("labels [1,40,56]"),
                              HasSubstr("ArgMax"), HasSubstr(": ONNX, ")));
}

TEST(OnnxCommands, WhatWeLackIsNamedInOneLine) {
  const fs::path out = fresh_folder("onnx_refused") / "model.segmentum";
  const Outcome outcome = run({"import", golden("refused_elu.onnx"), "--out", out});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(line_count(outcome.err), 1);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("segmentum: " + golden("refused_elu.onnx")),
                                 HasSubstr("(Elu) is an operator that this program does not")));
  EXPECT_FALSE(fs::exists(out));
}

TEST(OnnxCommands, ClassesAreNamed) {
  const fs::path folder = fresh_folder("onnx_classes");
  write_file(folder / "names.txt", "road\ncar\ntree\nsky\n");
  const Outcome outcome =
      run({"import", golden("padded_unet.onnx"), "--classes", folder / "names.txt", "--mean",
           "0.4,0.5,0.6", "--std", "0.2,0.2,0.2", "--out", folder / "model.segmentum"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("its logits tell 5 classes apart"));
  write_file(folder / "names.txt", "wall\nroad\ncar\ntree\nsky\n");
  const Outcome named =
      run({"import", golden("padded_unet.onnx"), "--classes", folder / "names.txt", "--mean",
           "0.4,0.5,0.6", "--std", "0.2,0.2,0.2", "--out", folder / "model.segmentum"});
  ASSERT_EQ(named.status, 0) << named.err;
  EXPECT_THAT(named.out, HasSubstr("mean and deviation as given"));
  EXPECT_THAT(run({"describe", folder / "model.segmentum"}).out,
              AllOf(HasSubstr("wall"), HasSubstr("0.4, 0.5, 0.6"), HasSubstr("onnx_sha256")));
}

}  // namespace
}  // namespace segmentum
