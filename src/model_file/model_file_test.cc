#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/file.h"
#include "base/random.h"
#include "engine/executor.h"
#include "model_file/model.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Padded to even sizes, one level down and up again: the smallest network with everything in it.
Graph tiny_graph(int logits = 3) {
  GraphBuilder g("tiny");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId padded = g.pad("padded", image, {.mode = PadMode::mirror, .multiple = 2});
  const ValueId fine = g.conv("fine", padded, {.channels = 4, .kernel = 3, .padding = 1});
  const ValueId normed = g.relu("fine_relu", g.batch_norm("fine_norm", fine));
  const ValueId coarse = g.max_pool("pool", normed);
  const ValueId up = g.transposed_conv("up", coarse, {.channels = 4});
  const ValueId joined = g.concat("joined", {normed, up});
  const ValueId head = g.conv("head", joined, {.channels = logits});
  g.output("logits", g.crop_like("logits", head, image));
  return std::move(g).build();
}

Model tiny_model() {
  Model model;
  model.graph = tiny_graph();
  model.parameters = initialise(model.graph, 7);
  model.preprocess = {{0.41f, 0.42f, 0.43f}, {0.3f, 0.2f, 0.1f}};
  model.classes = {{"Straße", {128, 64, 128}}, {"細胞", {0, 0, 0}}, {"a \"b\"\n", {255, 1, 2}}};
  model.source_values = {0, 7, 300};
  model.source_ignore_value = 11;
  model.settings = {{"width", "4"}};
  model.provenance = {{"data", "/daten/Größe"}, {"steps", "12"}};
  return model;
}

/// One logit for each class but the background.
Model tiny_model_on_boxes() {
  Model model = tiny_model();
  model.graph = tiny_graph(2);
  model.parameters = initialise(model.graph, 7);
  model.boxes = BoxCrop{.side_px = 96, .expand = 1.3};
  return model;
}

class ModelFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("model_file_") + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path path(const std::string& name = "model.segmentum") const { return folder_ / name; }

  std::string complaint(const std::function<void()>& call) const {
    try {
      call();
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  }

 private:
  fs::path folder_;
};

TEST_F(ModelFile, WhatIsSavedIsLoaded) {
  const Model saved = tiny_model();
  save_model(path(), saved);
  const Model loaded = load_model(path());
  EXPECT_EQ(loaded.graph.architecture, "tiny");
  EXPECT_EQ(loaded.graph.nodes.size(), saved.graph.nodes.size());
  EXPECT_EQ(loaded.preprocess, saved.preprocess);
  EXPECT_EQ(loaded.classes, saved.classes);
  EXPECT_EQ(loaded.source_values, saved.source_values);
  EXPECT_EQ(loaded.source_ignore_value, 11u);
  EXPECT_FALSE(loaded.source_values_are_colours);
  EXPECT_EQ(loaded.settings, saved.settings);
  EXPECT_EQ(loaded.provenance, saved.provenance);
  EXPECT_FALSE(loaded.one_class_head());
  ASSERT_EQ(loaded.parameters.all().size(), saved.parameters.all().size());
  for (const auto& [name, parameter] : saved.parameters.all()) {
    EXPECT_EQ(loaded.parameters.at(name).role, parameter.role) << name;
    EXPECT_THAT(loaded.parameters.value(name).values(),
                testing::ElementsAreArray(parameter.value.values()))
        << name;
  }
}

TEST_F(ModelFile, ModelsOnBoxesSayWhatTheySeeOfABox) {
  save_model(path(), tiny_model_on_boxes());
  const Model loaded = load_model(path());
  EXPECT_EQ(loaded.boxes, (BoxCrop{.side_px = 96, .expand = 1.3}));
  EXPECT_EQ(loaded.classes.size(), 3u);
  save_model(path("whole"), tiny_model());
  EXPECT_EQ(load_model(path("whole")).boxes, std::nullopt);
  Model wrong = tiny_model_on_boxes();
  wrong.classes.pop_back();
  EXPECT_THAT(complaint([&] { save_model(path("wrong"), wrong); }),
              HasSubstr("tells 3 classes apart, 2 are named"));
}

TEST_F(ModelFile, SettingsOfACrfComeAndGoByThemselves) {
  save_model(path("a"), tiny_model());
  EXPECT_EQ(load_model(path("a")).crf, std::nullopt);
  const CrfSettings settings{.iterations = 5, .bilateral_sigma_px = 41.5f};
  fs::copy_file(path("a"), path("b"), fs::copy_options::overwrite_existing);
  store_crf_settings(path("b"), settings);
  const Model stored = load_model(path("b"));
  EXPECT_EQ(stored.crf, settings);
  EXPECT_EQ(load_crf_settings(path("b")), settings);
  EXPECT_EQ(load_crf_settings(path("a")), std::nullopt);
  EXPECT_EQ(stored.provenance, tiny_model().provenance);
  EXPECT_EQ(golden_error(stored, load_golden_pair(path("b")), *make_reference_executor()), 0);
  // As if it had been saved with them; the numbers still begin at a multiple of 64 bytes.
  Model with_settings = tiny_model();
  with_settings.crf = settings;
  save_model(path("c"), with_settings);
  EXPECT_EQ(read_file(path("b")), read_file(path("c")));
  store_crf_settings(path("b"), {});
  EXPECT_EQ(load_model(path("b")).crf, CrfSettings());
  EXPECT_EQ(SafetensorsReader(path("b")).tensors().at("golden.input").offset % 64, 0u);
  remove_crf_settings(path("b"));
  EXPECT_EQ(read_file(path("b")), read_file(path("a")));
}

TEST_F(ModelFile, SettingsOfACrfThatCannotBeStored) {
  save_model(path(), tiny_model());
  const std::string before = read_file(path());
  EXPECT_THROW(store_crf_settings(path(), {.spatial_sigma_px = -1}), Error);
  write_file(path("text"), "These are words, not weights.\n");
  EXPECT_THAT(complaint([&] { store_crf_settings(path("text"), {}); }),
              HasSubstr("text: is not a safetensors file"));
  EXPECT_THAT(complaint([&] { store_crf_settings(path("absent"), {}); }),
              HasSubstr("there is no such file"));
  EXPECT_EQ(read_file(path()), before);
}

TEST_F(ModelFile, SavedTwiceIsTheSameFile) {
  save_model(path("a"), tiny_model());
  save_model(path("b"), load_model(path("a")));
  EXPECT_EQ(read_file(path("a")), read_file(path("b")));
}

TEST_F(ModelFile, TheGoldenPairProvesTheWeights) {
  save_model(path(), tiny_model());
  Model model = load_model(path());
  const GoldenPair golden = load_golden_pair(path());
  EXPECT_EQ(golden.input.shape(), Shape({1, 3, 33, 41}));
  EXPECT_EQ(golden.logits.shape(), Shape({1, 3, 33, 41}));
  const auto reference = make_reference_executor();
  EXPECT_EQ(golden_error(model, golden, *reference), 0);  // the same engine: the same bits
  model.parameters.change("head.bias").values()[0] += 0.5f;
  const auto [low, high] = std::ranges::minmax(golden.logits.values());
  EXPECT_NEAR(golden_error(model, golden, *reference), 0.5 / (high - low), 1e-5);
  model.parameters.change("head.bias").values()[0] = NAN;
  EXPECT_EQ(golden_error(model, golden, *reference), INFINITY);
}

TEST_F(ModelFile, TextsThatAreNotUtf8AreRepaired) {
  Model model = tiny_model();
  model.provenance["data"] =
      "/daten/Gr\xf6\xdf"
      "e";
  save_model(path(), model);
  EXPECT_EQ(load_model(path()).provenance.at("data"), "/daten/Gr\uFFFD\uFFFDe");
}

TEST_F(ModelFile, ModelsThatDoNotFitTogetherAreNotSaved) {
  const auto says = [&](const std::function<void(Model&)>& spoil) {
    Model model = tiny_model();
    spoil(model);
    return complaint([&] { save_model(path(), model); });
  };
  EXPECT_THAT(says([](Model& m) { m.classes.pop_back(); }),
              HasSubstr("tells 3 classes apart, 2 are named"));
  EXPECT_THAT(says([](Model& m) { m.graph = tiny_graph(1); }),
              HasSubstr("tells 2 classes apart, 3 are named"));
  EXPECT_THAT(says([](Model& m) { m.preprocess.std[1] = 0; }), HasSubstr("a positive std"));
  EXPECT_THAT(says([](Model& m) { m.preprocess.mean.pop_back(); }),
              HasSubstr("each of the 3 channels"));
  EXPECT_THAT(says([](Model& m) { m.source_values.pop_back(); }),
              HasSubstr("2 mask values for 3 classes"));
  EXPECT_THAT(says([](Model& m) { m.parameters = {}; }), HasSubstr("fine.weight is missing"));
  EXPECT_THAT(says([](Model& m) {
                GraphBuilder g("half");
                const ValueId image = g.input("image", {.channels = 3});
                g.output("logits", g.max_pool("pool", image));
                m.graph = std::move(g).build();
              }),
              HasSubstr("of 33x41 pixels are of 16x20"));
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(ModelFile, FilesThatAreNoModels) {
  const auto says = [&](const std::string& name) {
    return complaint([&] { load_model(path(name)); });
  };
  EXPECT_EQ(says("absent.segmentum"),
            path("absent.segmentum").string() + ": there is no such file");
  write_file(path("text.segmentum"), "These are words, not weights.\n");
  EXPECT_THAT(says("text.segmentum"), HasSubstr("text.segmentum: is not a safetensors file"));
  const Tensor weight({2});
  const NamedTensor tensors[] = {{"weight", weight.view()}};
  write_safetensors(path("foreign"), tensors, {{"format", "pt"}});
  EXPECT_THAT(says("foreign"), HasSubstr("is no segmentum model (its format is pt)"));
  write_safetensors(path("new"), tensors, {{"format", "segmentum model"}, {"format_version", "9"}});
  EXPECT_THAT(says("new"), HasSubstr("is of model format 9; this program reads format 1"));
  write_safetensors(path("bare"), tensors,
                    {{"format", "segmentum model"}, {"format_version", "1"}});
  EXPECT_THAT(says("bare"), HasSubstr("the model is damaged: it has no text \"graph\""));
}

TEST_F(ModelFile, DamagedTexts) {
  save_model(path(), tiny_model());
  const auto says = [&](const std::string& key, const std::string& text) {
    SafetensorsReader reader(path());
    std::vector<Tensor> values;
    std::vector<NamedTensor> tensors;
    for (const auto& [name, entry] : reader.tensors()) {
      values.push_back(reader.read(name));
      tensors.push_back({name, values.back().view()});
    }
    auto texts = reader.metadata();
    texts[key] = text;
    write_safetensors(path("damaged"), tensors, texts);
    return complaint([&] { load_model(path("damaged")); });
  };
  EXPECT_THAT(says("graph", "{}"), HasSubstr("the model is damaged"));
  EXPECT_THAT(says("graph", std::string(200000, '[')), HasSubstr("the model is damaged"));
  EXPECT_THAT(says("classes", "{"), HasSubstr("its text \"classes\" is damaged"));
  EXPECT_THAT(says("classes", R"([{"name":"a","colour":[0,0,256]}])"),
              HasSubstr("outside of 0..255"));
  EXPECT_THAT(says("classes", std::string(200000, '[')), HasSubstr("nested too deep"));
  EXPECT_THAT(says("classes", "[]"), HasSubstr("tells 3 classes apart, 0 are named"));
  EXPECT_THAT(says("mask_values", R"({"values":[-1],"ignore":0,"colours":false})"),
              HasSubstr("no whole number of 32 bits"));
  EXPECT_THAT(says("preprocess", R"({"mean":[1e999],"std":[1]})"), HasSubstr("\"preprocess\""));
  EXPECT_THAT(says("preprocess", R"({"mean":[0,0,0],"std":[1,1,null]})"),
              HasSubstr("\"preprocess\""));
  EXPECT_THAT(says("settings", R"({"width":4})"), HasSubstr("\"settings\""));
  EXPECT_THAT(says("crf", R"({"version":9})"),
              HasSubstr("the CRF settings are damaged: they are of version 9"));
}

/// Whatever happens to the bytes, the file loads or an Error says why not.
TEST_F(ModelFile, FlippedAndTruncatedBytes) {
  save_model(path(), tiny_model());
  const std::string whole = read_file(path());
  int refused = 0;
  const auto try_to_load = [&](const std::string& bytes) {
    write_file(path("spoilt"), bytes);
    try {
      load_model(path("spoilt"));
      load_golden_pair(path("spoilt"));
    } catch (const Error&) {
      ++refused;
    }
  };
  RandomStream random(1, 2, 3);
  const std::size_t header = whole.find(std::string("  ")) + 64;
  for (int trial = 0; trial < 600; ++trial) {
    std::string bytes = whole;
    const auto at = random.below(static_cast<std::uint32_t>(std::min(header, bytes.size())));
    bytes[at] = trial % 3 == 0 ? "\0\"{}[],:9-"[trial % 10] : static_cast<char>(random.bits());
    try_to_load(bytes);
  }
  EXPECT_GT(refused, 300);
  refused = 0;
  for (int cut = 0; cut < 100; ++cut) try_to_load(whole.substr(0, whole.size() * cut / 100));
  EXPECT_EQ(refused, 100);
}

}  // namespace
}  // namespace segmentum
