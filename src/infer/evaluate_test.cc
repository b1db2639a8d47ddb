#include "infer/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "image/codec.h"
#include "infer/make_segmenter.h"
#include "infer/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Grey pictures of two classes, and a network that calls every pixel above one half bright.
class Evaluate : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    dataset_.root = fs::path(testing::TempDir()) / (std::string("evaluate_") + test->name());
    fs::create_directories(dataset_.root);
    dataset_.classes = {{"dark", {0, 0, 0}}, {"bright", {255, 255, 255}}};
    dataset_.encoding.to_class = {{0, 0}, {1, 1}, {255, kIgnoreLabel}};
    dataset_.channels = 1;
    dataset_.splits["test"] = {};
  }
  void TearDown() override { fs::remove_all(dataset_.root); }

  /// One row of pixels and their labels.
  void add(const std::string& name, const std::vector<std::uint8_t>& pixels,
           const std::vector<std::uint8_t>& labels) {
    const auto write = [&](const std::string& file, const std::vector<std::uint8_t>& row) {
      write_png(dataset_.root / file,
                ImageView{row.data(), 1, static_cast<int>(row.size()), 1, PixelType::u8, 0});
    };
    write(name + ".png", pixels);
    write(name + "_mask.png", labels);
    dataset_.splits["test"].push_back({name, name + ".png", name + "_mask.png", ""});
  }

  static Segmenter brightness_segmenter() {
    GraphBuilder g("brightness");
    const ValueId image = g.input("image", {.channels = 1});
    g.output("logits", g.conv("logit", image, {.channels = 1}));
    Model model;
    model.graph = std::move(g).build();
    model.parameters = initialise(model.graph, 0);
    model.parameters.change("logit.weight").values()[0] = 1;
    model.preprocess = {{0.5f}, {0.25f}};
    model.classes = {{"dark", {0, 0, 0}}, {"bright", {255, 255, 255}}};
    return make_segmenter(std::move(model));
  }

  std::string complaint(const std::string& split) const {
    try {
      evaluate(brightness_segmenter(), dataset_, split);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  Dataset dataset_;
};

TEST_F(Evaluate, CountsOverTheSplit) {
  add("a", {0, 0, 255, 255}, {0, 1, 1, 1});  // one bright pixel of three missed
  add("b", {0, 255, 255}, {0, 0, 255});      // one called bright, one ignored
  add("c", {255}, {255});                    // nothing to score
  dataset_.splits["test"].push_back({"unlabelled", "a.png", "", ""});
  std::vector<std::string> visited;
  const Evaluation result = evaluate(brightness_segmenter(), dataset_, "test", nullptr,
                                     [&](const Sample& sample, const Image& picture,
                                         const LabelMap& prediction, const LabelMap& truth) {
                                       EXPECT_EQ(picture.width(), prediction.width());
                                       EXPECT_EQ(truth.width(), prediction.width());
                                       visited.push_back(sample.name);
                                     });
  EXPECT_EQ(result.matrix(0, 0), 2);
  EXPECT_EQ(result.matrix(0, 1), 1);
  EXPECT_EQ(result.matrix(1, 0), 1);
  EXPECT_EQ(result.matrix(1, 1), 2);
  EXPECT_THAT(visited, testing::ElementsAre("a", "b", "c"));
  ASSERT_EQ(result.images.size(), 3u);
  EXPECT_DOUBLE_EQ(result.images[0].scores.pixel_accuracy, 0.75);
  EXPECT_DOUBLE_EQ(result.images[0].scores.mean_iou, (1.0 / 2 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(result.images[1].scores.pixel_accuracy, 0.5);
  EXPECT_EQ(result.images[2].scores.pixels, 0);
}

TEST_F(Evaluate, BadPicturesAreLeftOutAndTold) {
  add("a", {0, 255}, {0, 1});
  add("b", {0, 255}, {0, 7});  // 7 is no class
  write_file(dataset_.root / "c.png", "no picture");
  dataset_.splits["test"].push_back({"c", "c.png", "a_mask.png", ""});
  const Evaluation result = evaluate(brightness_segmenter(), dataset_, "test");
  EXPECT_EQ(result.images.size(), 1u);
  ASSERT_EQ(result.failures.size(), 2u);
  EXPECT_THAT(result.failures[0], HasSubstr("b_mask.png"));
  EXPECT_THAT(result.failures[1], HasSubstr("c.png"));
  EXPECT_EQ(scores(result.matrix).pixels, 2);
}

TEST_F(Evaluate, ErrorsSayWhatWouldWork) {
  EXPECT_THAT(complaint("test"), HasSubstr("has no picture with a mask"));
  EXPECT_THAT(complaint("val"), HasSubstr("val"));
  add("b", {0, 255}, {0, 7});
  EXPECT_THAT(complaint("test"), HasSubstr("of 1 picture none could be scored"));
  dataset_.classes.push_back({"third", {}});
  EXPECT_THAT(complaint("test"), HasSubstr("tells 2 classes apart, the data set has 3"));
}

}  // namespace
}  // namespace segmentum
