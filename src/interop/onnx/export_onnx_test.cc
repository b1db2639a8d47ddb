#include "interop/onnx/export_onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "interop/named_classes.h"
#include "interop/onnx/import_onnx.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/onnx_parity.h"
#include "interop/onnx/testing.h"
#include "interop/testing.h"
#include "models/registry.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class OnnxExport : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("onnx_export_") + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path path(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

Model unet(int logits, std::map<std::string, std::string> more = {}) {
  more.insert({{"width", "4"}, {"depth", "2"}});
  Model model;
  model.graph = build_model("unet", {.classes = logits, .settings = more});
  model.parameters = initialise(model.graph, 3);
  model.classes = numbered_classes(logits == 1 ? 2 : logits);
  model.classes[1].name = "road";
  model.preprocess = {.mean = {0.1f, 0.2f, 0.3f}, .std = {0.4f, 0.5f, 0.6f}};
  model.source_values = {7, 9};
  model.source_values.resize(model.classes.size(), 11);
  model.provenance["data"] = "camvid";
  return model;
}

/// One operator between "image" and "logits".
Model of_one(int channels, const std::function<ValueId(GraphBuilder&, ValueId)>& append) {
  GraphBuilder g("one");
  const ValueId x = g.input("image", {.channels = channels});
  g.output("logits", append(g, x));
  Model model;
  model.graph = std::move(g).build();
  model.parameters = initialise(model.graph, 1);
  return model;
}

OnnxModel written(const Model& model, const OnnxExportOptions& options = {}) {
  return onnx_of(model.graph, model.parameters, model.preprocess, options);
}

std::vector<std::string> operators(const OnnxModel& model) {
  std::vector<std::string> all;
  for (const OnnxNode& node : model.nodes) all.push_back(node.op);
  return all;
}

TEST_F(OnnxExport, NamesAreKept) {
  const Model model = unet(3);
  const OnnxModel onnx = written(model);
  EXPECT_EQ(onnx.inputs.at(0).name, "image");
  EXPECT_EQ(onnx.outputs.at(0).name, "logits");
  const auto has_node = [&](const std::string& name) {
    return std::ranges::any_of(onnx.nodes, [&](const OnnxNode& n) { return n.name == name; });
  };
  EXPECT_TRUE(has_node("encoder.0.conv1"));
  std::vector<std::string> tensors;
  for (const OnnxTensor& tensor : onnx.initializers) tensors.push_back(tensor.name);
  for (const ParameterSpec& spec : model.graph.parameters)
    EXPECT_THAT(tensors, Contains(spec.name));
  const auto& dims = *onnx.inputs[0].dims;
  EXPECT_EQ(dims[0].name, "batch");
  EXPECT_EQ(dims[1].size, 3);
  EXPECT_EQ((*onnx.outputs[0].dims)[2].name, "height");
  write_onnx(path("a.onnx"), onnx);
  const ImportedOnnx back = import_onnx(path("a.onnx"), {});
  EXPECT_EQ(back.model.graph.parameters.size(), model.graph.parameters.size());
  for (const ParameterSpec& spec : model.graph.parameters) {
    EXPECT_THAT(back.model.parameters.value(spec.name).values(),
                testing::ElementsAreArray(model.parameters.value(spec.name).values()));
  }
}

TEST_F(OnnxExport, WhatOnnxHasNoWordsForComesBack) {
  const Model model = unet(3);
  EXPECT_THAT(export_onnx(path("a.onnx"), model, {}), ElementsAre(path("a.onnx")));
  const ImportedOnnx back = import_onnx(path("a.onnx"), {});
  EXPECT_EQ(back.model.classes, model.classes);
  EXPECT_EQ(back.model.preprocess, model.preprocess);
  EXPECT_EQ(back.model.source_values, model.source_values);
  EXPECT_EQ(back.model.provenance.at("data"), "camvid");
  EXPECT_EQ(back.model.provenance.at("onnx"), "a.onnx");
  EXPECT_THAT(back.producer, HasSubstr("segmentum "));
  write_file(path("names.txt"), "sky\nroad\ntree\n");
  const ImportedOnnx named =
      import_onnx(path("a.onnx"), {.classes_file = path("names.txt"), .mean = {0.5f, 0.5f, 0.5f}});
  EXPECT_EQ(named.model.classes[0].name, "sky");
  EXPECT_THAT(named.model.preprocess.mean, Each(0.5f));
  EXPECT_EQ(named.model.preprocess.std, model.preprocess.std);
  write_file(path("names.txt"), "sky\nroad\n");
  EXPECT_THAT(complaint([&] { import_onnx(path("a.onnx"), {.classes_file = path("names.txt")}); }),
              HasSubstr("its logits tell 3 classes apart"));
}

TEST_F(OnnxExport, DamagedMetadataIsLeftOut) {
  const Model model = unet(3);
  OnnxModel onnx = written(model);
  onnx.metadata["segmentum.preprocess"] = "{";
  write_onnx(path("a.onnx"), onnx);
  const ImportedOnnx back = import_onnx(path("a.onnx"), {});
  EXPECT_THAT(back.notes, ElementsAre(HasSubstr("is left out: ")));
  EXPECT_EQ(back.model.classes, numbered_classes(3));
}

TEST_F(OnnxExport, LabelsAndPreprocessingInTheGraph) {
  for (const int logits : {3, 1}) {
    const Model model = unet(logits);
    for (const int opset : {11, 13}) {
      const OnnxExportOptions options{.opset = opset, .argmax = true, .preprocess = true};
      export_onnx(path("a.onnx"), model, options);
      const OnnxFile file(path("a.onnx"));
      const OnnxValueInfo& labels = file.model().outputs.at(0);
      EXPECT_EQ(labels.name, "labels");
      EXPECT_EQ(labels.type, OnnxType::i64);
      EXPECT_EQ(labels.dims->size(), 3u);
      const ImportedOnnx back = import_onnx(path("a.onnx"), {});
      EXPECT_THAT(back.model.preprocess.mean, Each(0.0f));
      EXPECT_THAT(back.model.preprocess.std, Each(1.0f / 255));
      const auto runtime = find_onnx_runtime();
      for (const OnnxParity& parity : onnx_parity(model, path("a.onnx"), options, runtime.get())) {
        if (parity.largest_difference) {
          EXPECT_LE(*parity.largest_difference, kOnnxTolerance);
        }
        EXPECT_LE(parity.changed_pixels, parity.pixels / 1000) << parity.reader;  // near ties
      }
    }
  }
}

TEST_F(OnnxExport, OneSizeLeavesNoArithmetic) {
  const OnnxModel onnx = written(unet(3), {.size = Size2(33, 41)});
  EXPECT_THAT(operators(onnx), Not(Contains("Shape")));
  EXPECT_THAT(operators(onnx), Contains("Pad"));
  EXPECT_EQ((*onnx.inputs[0].dims)[0].size, 1);
  EXPECT_EQ((*onnx.outputs[0].dims)[3].size, 41);
  EXPECT_THAT(operators(written(unet(3))), Contains("Gather"));
}

TEST_F(OnnxExport, FoldedNormsAreGone) {
  export_onnx(path("a.onnx"), unet(3), {.fold_batch_norm = true});
  const OnnxFile folded(path("a.onnx"));
  EXPECT_THAT(operators(folded.model()), Not(Contains("BatchNormalization")));
  EXPECT_THAT(operators(written(unet(3))), Contains("BatchNormalization"));
}

TEST_F(OnnxExport, AuxiliaryOutputsOnRequest) {
  const Model model = unet(3, {{"aux", "true"}});
  export_onnx(path("one.onnx"), model, {});
  export_onnx(path("all.onnx"), model, {.all_outputs = true});
  EXPECT_EQ(OnnxFile(path("one.onnx")).model().outputs.size(), 1u);
  EXPECT_EQ(OnnxFile(path("all.onnx")).model().outputs.size(), 2u);
  EXPECT_THAT(import_onnx(path("all.onnx"), {}).notes,
              ElementsAre(HasSubstr("the logits are its output \"logits\"; left out: \"aux\"")));
}

/// What readers make of a step edge of 4 columns, resized to 8 by the operator.
void expect_edge(const fs::path& file, op::Resize resize, const std::vector<float>& expected) {
  const Model model = of_one(1, [&](GraphBuilder& g, ValueId x) {
    const ValueId half = g.average_pool("half", x, {.kernel = {1, 2}, .stride = {1, 2}});
    return g.resize_like("logits", half, x, resize);
  });
  Tensor edge({1, 1, 1, 8});
  std::fill(edge.data() + 4, edge.data() + 8, 4.0f);
  for (const std::optional<Size2> size : {std::optional<Size2>(), std::optional(Size2(1, 8))}) {
    write_onnx(file, written(model, {.opset = 13, .size = size}));
    const OnnxFile opened(file);
    const OnnxNetwork back = network_of(opened.model(), opened.bytes());
    EXPECT_THAT(run_network(back, edge.shape(), {edge.values().begin(), edge.values().end()}),
                testing::Pointwise(testing::FloatEq(), expected));
    const auto runtime = find_onnx_runtime();
    if (runtime == nullptr) continue;
    const auto session = runtime->open(file);
    EXPECT_THAT(session->run("image", edge.view(), "logits").reals,
                testing::Pointwise(testing::FloatNear(1e-5f), expected));
  }
}

// The halves are 0, 0, 4, 4. Half-pixel centres leave the edge in the middle, a quarter of the way
// on each side; aligned corners stretch it: position 3i/7.
TEST_F(OnnxExport, AStepEdgeStaysWhereItIs) {
  expect_edge(path("a.onnx"), {}, {0, 0, 0, 1, 3, 4, 4, 4});
  expect_edge(path("a.onnx"), {.mode = Interpolation::nearest}, {0, 0, 0, 0, 4, 4, 4, 4});
  expect_edge(path("a.onnx"), {.align_corners = true}, {0, 0, 0, 8.0f / 7, 20.0f / 7, 4, 4, 4});
}

TEST_F(OnnxExport, PoolingThatOnnxCannotSay) {
  const Model model = of_one(1, [](GraphBuilder& g, ValueId x) {
    return g.max_pool("pool", x, {.kernel = 2, .stride = 2, .padding = 1, .ceil = true});
  });
  EXPECT_THAT(complaint([&] { written(model); }),
              AllOf(HasSubstr("node \"pool\" (max_pool) rounds its size up"),
                    HasSubstr("ONNX's pooling has another rule")));
}

TEST_F(OnnxExport, AFieldOverAllPairsOfPixels) {
  const Model model =
      of_one(3, [](GraphBuilder& g, ValueId x) { return g.mean_field("crf", x, x); });
  EXPECT_THAT(complaint([&] { written(model); }),
              AllOf(HasSubstr("node \"crf\" (mean_field) joins every pixel to every other one"),
                    HasSubstr("train with crf=none")));
}

TEST_F(OnnxExport, OperatorSetsThatAreWritten) {
  const Model model = unet(3);
  EXPECT_THAT(complaint([&] { written(model, {.opset = 10}); }),
              HasSubstr("operator set 10 is not written; 11 to 21 are"));
  for (const int opset : {11, 21}) EXPECT_EQ(written(model, {.opset = opset}).opsets.at(""), opset);
  EXPECT_THAT(complaint([&] { export_onnx(path("a.onnx"), model, {.opset = 22}); }),
              HasSubstr("a.onnx: cannot export: operator set 22"));
}

TEST_F(OnnxExport, IsToldFromCheckpoints) {
  export_onnx(path("a.onnx"), unet(3), {});
  fs::copy_file(path("a.onnx"), path("weights"));
  EXPECT_TRUE(is_onnx(path("weights")));
  EXPECT_TRUE(is_onnx("nowhere.onnx"));
  EXPECT_FALSE(is_onnx("nowhere.pth"));
  EXPECT_FALSE(is_onnx(golden_checkpoint("tiny.safetensors")));
  EXPECT_FALSE(is_onnx(golden_checkpoint("tiny_zip.pth")));
  EXPECT_FALSE(is_onnx(golden_checkpoint("tiny_legacy.pth")));
}

}  // namespace
}  // namespace segmentum
