// Models on boxes: from pictures and boxes to masks, files and scores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "image/codec.h"
#include "infer/evaluate_boxes.h"
#include "infer/make_segmenter.h"
#include "infer/predict_boxes.h"
#include "models/registry.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

/// A network that marks the bright pixels of a crop, for either of two classes; red stands for the
/// brightness.
Model bright_model() {
  GraphBuilder g("bright");
  const ValueId image = g.input("image", {.channels = 3});
  g.output("logits", g.conv("logits", image, {.channels = 2}));
  Model model;
  model.graph = std::move(g).build();
  model.parameters = initialise(model.graph, 1);
  Tensor& weight = model.parameters.change("logits.weight");
  std::ranges::fill(weight.values(), 0.0f);
  weight(0, 0, 0, 0) = weight(1, 0, 0, 0) = 1;
  model.preprocess = {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};
  model.classes = {{"background", {}}, {"date", {200, 0, 0}}, {"fig", {0, 200, 0}}};
  model.boxes = BoxCrop{.side_px = 64, .expand = 1.25};
  return model;
}

/// 40x30, grey, with a bright rectangle.
Image picture_with(int x0, int y0, int x1, int y1) {
  Image image(30, 40, 3);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool bright = x >= x0 && x < x1 && y >= y0 && y < y1;
      std::fill_n(image.row<std::uint8_t>(y) + 3 * x, 3, bright ? 255 : 10);
    }
  }
  return image;
}

template <typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class Boxes : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("segmentum_boxes_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "in");
  }
  void TearDown() override { fs::remove_all(folder_); }

  BoxFile boxes(const std::string& json) const {
    write_file(folder_ / "boxes.json", json);
    return BoxFile::read(folder_ / "boxes.json");
  }

  fs::path folder_;
};

TEST_F(Boxes, MasksAreWhatTheNetworkMarks) {
  BoxSegmenter segmenter(bright_model(), {.threads = 1});
  const Image picture = picture_with(10, 8, 20, 18);
  // The whole object, though the box cuts a column and a row off: it grows from 8 to 10 pixels.
  const Mask mask = segmenter.segment(picture, {11, 9, 19, 17}, 1);
  EXPECT_EQ(mask.left, 10);
  EXPECT_EQ(mask.top, 8);
  EXPECT_EQ(mask.area(), 100);
  // Cut to the picture.
  const Mask outside = segmenter.segment(picture, {15, -50, 80, 13}, 2);
  EXPECT_EQ(outside.top, 0);
  // [15, 40) x [0, 13) grows by 3.1 at the left and 1.6 below: columns from 12, rows to 14.
  EXPECT_EQ(outside.area(), 8 * 7);
}

TEST_F(Boxes, ClassesByNameOrIndex) {
  const BoxSegmenter segmenter(bright_model(), {});
  EXPECT_EQ(segmenter.class_of("fig"), 2);
  EXPECT_EQ(segmenter.class_of("1"), 1);
  EXPECT_EQ(error_of([&] { segmenter.class_of("figs"); }),
            "a box is of class \"figs\"; did you mean \"fig\"? the model knows date, fig");
  EXPECT_EQ(error_of([&] { segmenter.class_of(""); }),
            "a box names no class, and the model knows several: date, fig");
  EXPECT_THAT(error_of([&] { segmenter.class_of("background"); }), HasSubstr("date, fig"));
}

TEST_F(Boxes, ModelsAreOnBoxesOrNot) {
  EXPECT_THAT(error_of([] { make_segmenter(bright_model()); }),
              HasSubstr("segments the objects in boxes, not whole pictures; --boxes FILE"));
  Model whole = bright_model();
  whole.boxes.reset();
  EXPECT_THAT(error_of([&] { BoxSegmenter(std::move(whole), {}); }),
              HasSubstr("segments whole pictures; boxes need one that was trained on boxes"));
}

TEST_F(Boxes, AFileForEachPicture) {
  write_png(folder_ / "in/a.png", picture_with(10, 8, 20, 18));
  write_png(folder_ / "in/b.png", picture_with(0, 0, 3, 3));
  BoxSegmenter segmenter(bright_model(), {.threads = 1});
  const BoxFile listed =
      boxes(R"([{"image": "a", "box": [10, 8, 15, 18], "class": "date", "score": 0.9},
                                  {"image": "a", "box": [10, 8, 20, 18], "class": "fig", "score": 0.5}])");
  const std::vector<std::string> inputs{(folder_ / "in").string()};
  const PredictSummary summary =
      predict_boxes(segmenter, inputs, listed, {.out = folder_ / "out", .overlay = true});
  EXPECT_EQ(summary.files.size(), 2u);
  const RawMask ids = read_mask(folder_ / "out/a.png");
  ASSERT_EQ(ids.values.type(), PixelType::u16);
  ASSERT_EQ(ids.values.width(), 40);
  const auto* row = ids.values.row<std::uint16_t>(12);
  EXPECT_EQ(row[9], 0);
  EXPECT_EQ(row[12], 1);  // the better score is on top
  EXPECT_EQ(row[18], 2);
  const std::string json = read_file(folder_ / "out/a.json");
  EXPECT_THAT(json, HasSubstr("\"class\": \"fig\""));
  EXPECT_THAT(json, HasSubstr("\"score\": 0.9"));
  EXPECT_THAT(json, HasSubstr("\"area\": 100"));
  EXPECT_TRUE(fs::exists(folder_ / "out/a.overlay.png"));
  // What is written can be read as boxes again; a picture without boxes has none.
  EXPECT_EQ(BoxFile::read(folder_ / "out/a.json").of("x/a.png").size(), 2u);
  EXPECT_EQ(BoxFile::read(folder_ / "out/b.json").of("b.png").size(), 0u);
}

TEST_F(Boxes, BadBoxesAreToldAndTheOthersDone) {
  write_png(folder_ / "in/a.png", picture_with(10, 8, 20, 18));
  write_png(folder_ / "in/b.png", picture_with(0, 0, 3, 3));
  BoxSegmenter segmenter(bright_model(), {.threads = 1});
  const std::vector<std::string> inputs{(folder_ / "in").string()};
  const PredictOptions options{.out = folder_ / "out"};
  const BoxFile outside = boxes(R"([{"image": "a", "box": [40, 8, 50, 18], "class": 1},
                                   {"image": "b", "box": [0, 0, 3, 3], "class": 1}])");
  const PredictSummary summary = predict_boxes(segmenter, inputs, outside, options);
  EXPECT_EQ(summary.files.size(), 1u);
  EXPECT_THAT(
      summary.failures,
      ElementsAre(EndsWith("a.png: the box [40, 8, 50, 18) lies outside of the picture, which "
                           "is 40x30 (width x height)")));
  const BoxFile unknown = boxes(R"([{"image": "a", "box": [0, 0, 3, 3], "class": "nut"}])");
  EXPECT_THAT(error_of([&] { predict_boxes(segmenter, inputs, unknown, options); }),
              EndsWith("boxes.json: a: a box is of class \"nut\"; the model knows date, fig"));
  const BoxFile others = boxes(R"([{"image": "c", "box": [0, 0, 3, 3], "class": 1}])");
  EXPECT_THAT(error_of([&] { predict_boxes(segmenter, inputs, others, options); }),
              HasSubstr("has no box of any of the pictures; it names \"c\""));
  write_file(folder_ / "out/a.json", "[]");
  const BoxFile in_the_way = BoxFile::read(folder_ / "out/a.json");
  EXPECT_THAT(error_of([&] { predict_boxes(segmenter, inputs, in_the_way, options); }),
              HasSubstr("holds the boxes and would be replaced by a result"));
}

/// Two pictures: a date that the network cuts out exactly, and a fig of which it sees the brighter
/// half: IoU 1 and 1/2.
Dataset date_and_fig(const fs::path& root) {
  Dataset dataset;
  dataset.root = root;
  dataset.classes = bright_model().classes;
  dataset.encoding.to_class = {{0, 0}, {1, 1}, {2, 2}, {255, kIgnoreLabel}};
  for (const auto& [name, label, x1] : {std::tuple("a", 1, 20), std::tuple("b", 2, 30)}) {
    LabelMap labels(30, 40), ids(30, 40);
    for (int y = 8; y < 18; ++y) {
      for (int x = 10; x < x1; ++x) {
        labels(y, x) = static_cast<std::uint16_t>(label);
        ids(y, x) = 7;
      }
    }
    const std::string file = std::string(name) + ".png";
    for (const char* folder : {"images", "masks", "instances"}) {
      fs::create_directories(root / folder);
    }
    write_png(root / "images" / file, picture_with(10, 8, 20, 18));
    write_label_png(root / "masks" / file, labels, Palette::voc(3));
    write_label_png(root / "instances" / file, ids, Palette::voc(8));
    dataset.splits["val"].push_back({.name = name,
                                     .image = "images/" + file,
                                     .mask = "masks/" + file,
                                     .instances = "instances/" + file});
  }
  return dataset;
}

TEST_F(Boxes, MeanIouOfTheObjectsOwnBoxes) {
  const Dataset dataset = date_and_fig(folder_);
  BoxSegmenter segmenter(bright_model(), {.threads = 1});
  const BoxEvaluation evaluation = evaluate_true_boxes(segmenter, dataset, "val");
  EXPECT_EQ(evaluation.pictures, 2);
  EXPECT_EQ(evaluation.all.objects, 2);
  EXPECT_NEAR(*evaluation.classes[0].mean_iou, 1, 1e-9);
  EXPECT_NEAR(*evaluation.classes[1].mean_iou, 0.5, 1e-9);
  EXPECT_NEAR(*evaluation.all.mean_iou, 0.75, 1e-9);
  EXPECT_EQ(box_score_table(evaluation),
            "class   objects     boxes  mean IoU\n"
            "date          1         1    100.00\n"
            "fig           1         1     50.00\n"
            "all           2         2     75.00\n");
}

TEST_F(Boxes, AveragePrecisionOfScoredBoxes) {
  const Dataset dataset = date_and_fig(folder_);
  BoxSegmenter segmenter(bright_model(), {.threads = 1});
  // Dates: a false one in b (a fig lies there) ranks before the true one. Figs: IoU 1/2.
  const BoxFile listed = boxes(R"([
    {"image": "a", "box": [10, 8, 20, 18], "class": "date", "score": 0.5},
    {"image": "b", "box": [10, 8, 20, 18], "class": "date", "score": 0.6},
    {"image": "b", "box": [10, 8, 30, 18], "class": "fig", "score": 0.1}])");
  const BoxEvaluation evaluation = evaluate_scored_boxes(segmenter, dataset, "val", listed);
  EXPECT_EQ(evaluation.classes[0].boxes, 2);
  EXPECT_DOUBLE_EQ(*evaluation.classes[0].apr_50, 0.5);
  EXPECT_DOUBLE_EQ(*evaluation.classes[0].apr_70, 0.5);
  EXPECT_DOUBLE_EQ(*evaluation.classes[1].apr_50, 1);
  EXPECT_DOUBLE_EQ(*evaluation.classes[1].apr_70, 0);
  EXPECT_DOUBLE_EQ(*evaluation.all.apr_50, 0.75);
  EXPECT_DOUBLE_EQ(*evaluation.all.apr_70, 0.25);
  EXPECT_EQ(box_score_table(evaluation),
            "class   objects     boxes   APr 0.5   APr 0.7\n"
            "date          1         2     50.00     50.00\n"
            "fig           1         1    100.00      0.00\n"
            "all           2         3     75.00     25.00\n");
  const BoxFile unscored = boxes(R"([{"image": "a", "box": [1, 1, 2, 2], "class": 1}])");
  EXPECT_THAT(error_of([&] { evaluate_scored_boxes(segmenter, dataset, "val", unscored); }),
              HasSubstr("boxes.json: a: the box [1, 1, 2, 2) has no score; average precision"));
  const BoxFile others = boxes(R"([{"image": "z", "box": [1, 1, 2, 2], "class": 1, "score": 1}])");
  EXPECT_THAT(error_of([&] { evaluate_scored_boxes(segmenter, dataset, "val", others); }),
              HasSubstr("has no box of any picture of split \"val\""));
}

}  // namespace
}  // namespace segmentum
