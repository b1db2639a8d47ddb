// The two verbs that come from FCN: ceiling and convert-classifier.
#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "model_file/safetensors.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using Json = nlohmann::json;

TEST(Ceiling, RisesAsTheFactorFalls) {
  const fs::path folder = fresh_folder("ceiling"), json = folder / "ceiling.json";
  write_tiny_scenes(folder / "data");
  const Outcome nearest = run({"ceiling", folder / "data", "--json", json});
  EXPECT_EQ(nearest.status, 0) << nearest.err;
  EXPECT_THAT(nearest.out, AllOf(HasSubstr("3 pictures, nearest rule"),
                                 ContainsRegex("\n   128 +[0-9.]+ +[0-9.]+\n")));
  const Json result = Json::parse(read_file(json));
  EXPECT_EQ(result.at("split"), "test");
  ASSERT_EQ(result.at("factors").size(), 6u);
  EXPECT_EQ(result.at("factors").at(0).at("factor"), 128);
  const auto mean_iou = [&](std::size_t i) {
    return result.at("factors").at(i).at("scores").at("mean_iou").get<double>();
  };
  // A picture of 48x64 is one cell of 128, or of 64: all of one class.
  EXPECT_DOUBLE_EQ(mean_iou(0), mean_iou(1));
  for (std::size_t i = 2; i < 6; ++i) EXPECT_GT(mean_iou(i), mean_iou(i - 1));
  EXPECT_LT(mean_iou(5), 1);

  const Outcome majority =
      run({"ceiling", folder / "data", "--split", "train", "--rule", "majority"});
  EXPECT_EQ(majority.status, 0) << majority.err;
  EXPECT_THAT(majority.out, HasSubstr("8 pictures, majority rule"));
}

TEST(Ceiling, OneBadMaskIsSkippedAndToldOf) {
  const fs::path folder = fresh_folder("ceiling_bad");
  write_tiny_scenes(folder / "data");
  EXPECT_EQ(run({"init", folder / "data"}).status, 0);
  write_file(folder / "data" / "testannot" / "scene_00000.png", "no picture");
  const Outcome outcome = run({"ceiling", folder / "data"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("2 pictures"));
  EXPECT_THAT(outcome.err, HasSubstr("1 of 3 masks failed, each reported above"));
}

TEST(Ceiling, WrongWords) {
  const Outcome rule = run({"ceiling", "data", "--rule", "mean"});
  EXPECT_EQ(rule.status, 2);
  EXPECT_THAT(rule.err, HasSubstr("--rule is \"mean\"; expected nearest or majority"));
  const fs::path folder = fresh_folder("ceiling_words");
  write_tiny_scenes(folder);
  EXPECT_THAT(run({"ceiling", folder, "--split", "final"}).err, HasSubstr("final"));
}

struct Classifier {
  int fc6_inputs = 8 * 49;
  bool counts = false;  // of batches, whole numbers, as PyTorch writes them with batch norms
  float last_bias = 3;
};

/// A VGG-16 of width 1 with torchvision's names and four classes.
void write_classifier(const fs::path& path, const Classifier& o = {}) {
  std::map<std::string, Tensor> tensors;
  const auto add = [&](const std::string& name, const Shape& weight) {
    tensors.emplace(name + ".weight", Tensor(weight));
    tensors.emplace(name + ".bias", Tensor({weight[0]}));
    // Means of what a layer sees: numbers stay near one.
    std::ranges::fill(tensors.at(name + ".weight").values(),
                      static_cast<float>(weight[0]) / static_cast<float>(weight.count()));
  };
  const std::vector<std::pair<int, int>> layers{{0, 1},  {2, 1},  {5, 2},  {7, 2},  {10, 4},
                                                {12, 4}, {14, 4}, {17, 8}, {19, 8}, {21, 8},
                                                {24, 8}, {26, 8}, {28, 8}};
  int in = 3;
  for (const auto& [index, channels] : layers) {
    add("features." + std::to_string(index), {channels, in, 3, 3});
    in = channels;
  }
  add("classifier.0", {5, o.fc6_inputs});
  add("classifier.3", {5, 5});
  add("classifier.6", {4, 5});
  const auto logits = tensors.at("classifier.6.bias").values();
  for (std::size_t k = 0; k < logits.size(); ++k) logits[k] = static_cast<float>(k);
  logits.back() = o.last_bias;
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : tensors) named.push_back({name, tensor.view()});
  const BasicTensor<std::int64_t> count({1});
  if (o.counts) named.push_back({"features.1.num_batches_tracked", count.view()});
  write_safetensors(path, named);
}

TEST(ConvertClassifier, MakesAModel) {
  const fs::path folder = fresh_folder("convert");
  const std::string model = folder / "vgg.segmentum";
  write_classifier(folder / "vgg.safetensors", {.counts = true});
  write_file(folder / "classes.txt", "cat\ndog\r\nbird\nfish\n");
  const Outcome outcome =
      run({"convert-classifier", folder / "vgg.safetensors", "--as", "vgg16", "--classes",
           folder / "classes.txt", "--out", model, "--json", folder / "out.json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("fcn32s of 4 classes"));
  EXPECT_EQ(Json::parse(read_file(folder / "out.json")).at("settings").at("fc_channels"), "5");
  const Outcome described = run({"describe", model});
  EXPECT_EQ(described.status, 0) << described.err;
  EXPECT_THAT(described.out,
              AllOf(HasSubstr("conv 5, 7x7"), HasSubstr("dog"), HasSubstr("mean 0.485"),
                    HasSubstr(sha256_of(folder / "vgg.safetensors")),
                    ContainsRegex("upscore +32x32 +4 +1 +0.0 %")));
  EXPECT_EQ(run({"describe", "--selftest", model}).status, 0);
}

TEST(ConvertClassifier, MessagesTellWhatIsWrong) {
  const fs::path folder = fresh_folder("convert_bad");
  const std::string file = folder / "vgg.safetensors", model = folder / "m.segmentum";
  const auto error = [&](std::vector<std::string> more, int status) {
    std::vector<std::string> words{"convert-classifier", file, "--out", model};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
    EXPECT_FALSE(fs::exists(model));
    return outcome.err;
  };
  EXPECT_THAT(error({}, 1), HasSubstr("vgg.safetensors"));  // not there
  write_classifier(file, {.fc6_inputs = 8 * 25});
  EXPECT_THAT(error({}, 1), HasSubstr("classifier.0.weight is 5x200; expected 5x8x7x7"));
  EXPECT_THAT(error({"--as", "resnet50"}, 2), HasSubstr("--as is \"resnet50\"; expected vgg16"));
  write_classifier(file);
  write_file(folder / "classes.txt", "cat\n");
  EXPECT_THAT(error({"--classes", folder / "classes.txt"}, 1),
              HasSubstr("names 1 class, a line each; the classifier has 4"));
  write_classifier(file, {.last_bias = std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(error({}, 1), HasSubstr("vgg.safetensors: tensor \"classifier.6.bias\" has 1 number "
                                      "that is not finite"));
  write_file(file, "no tensors at all");
  EXPECT_THAT(error({}, 1), HasSubstr("vgg.safetensors: "));
  fs::rename(file, folder / "vgg-0123456f.pth");  // a hash that is not the file's
  const Outcome promised = run({"convert-classifier", folder / "vgg-0123456f.pth", "--out", model});
  EXPECT_EQ(promised.status, 1);
  EXPECT_THAT(promised.err, HasSubstr("0123456f"));
}

}  // namespace
}  // namespace segmentum
