#include "data/box_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/loader.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

/// A picture of 40x30 with two objects, which fill their boxes: 3 of class 1 in [4,12)x[2,10),
/// bright; 9 of class 2 in [20,36)x[14,28), dark. The row below object 3 is ignored.
struct TwoObjects {
  Image image{30, 40, 1};
  LabelMap labels{30, 40};
  LabelMap ids{30, 40};

  TwoObjects() {
    std::fill_n(image.row<std::uint8_t>(0), 30 * 40, std::uint8_t{100});
    paint(3, 1, 200, 4, 2, 12, 10);
    paint(9, 2, 20, 20, 14, 36, 28);
    for (int x = 4; x < 12; ++x) labels(10, x) = ids(10, x) = kIgnoreLabel;
  }
  void paint(std::uint16_t id, std::uint16_t label, std::uint8_t grey, int x0, int y0, int x1,
             int y1) {
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) {
        image.row<std::uint8_t>(y)[x] = grey;
        labels(y, x) = label;
        ids(y, x) = id;
      }
    }
  }
};

const AugmentOptions kPlain{.flip_horizontal = 0};

TEST(BoxExamples, OfABoxAllThatTheNetworkIsToLearn) {
  TwoObjects scene;
  BoxExamples examples{.crop = {.side_px = 16, .expand = 1.5}, .jitter = 0};
  for (const Instance& instance : list_instances(scene.ids, scene.labels)) {
    examples.boxes.push_back({0, instance});
  }
  ASSERT_THAT(examples.boxes, SizeIs(2));
  const LabelledPicture picture{std::move(scene.image), scene.labels, scene.ids};
  RandomStream random(1, 0, 0);
  // Region [2,14)x[0,12): 16 pixels for 12. Centres in [4,12): pixels 3 to 12.
  const LabelledPicture first = box_example(picture, examples, 0, kPlain, random);
  ASSERT_EQ(first.image.height(), 16);
  ASSERT_EQ(first.labels.width(), 16);
  EXPECT_EQ(first.labels(8, 2), 0);
  EXPECT_EQ(first.labels(8, 3), 1);
  EXPECT_EQ(first.labels(8, 12), 1);
  EXPECT_EQ(first.labels(8, 13), 0);
  EXPECT_EQ(first.labels(13, 8), kIgnoreLabel);  // (13.5 * 12 / 16) = 10.1
  EXPECT_EQ(first.image.row<std::uint8_t>(8)[8], 200);
  EXPECT_EQ(first.image.row<std::uint8_t>(8)[0], 100);
  // The second class has labels of its own.
  const LabelledPicture second = box_example(picture, examples, 1, kPlain, random);
  EXPECT_EQ(second.labels(8, 8), box_label(1, true));
  EXPECT_EQ(second.labels(0, 0), box_label(1, false));
  EXPECT_EQ(second.image.row<std::uint8_t>(8)[8], 20);
}

TEST(BoxExamples, JitterMovesTheBoxAndFlipsTurnBoth) {
  TwoObjects scene;
  BoxExamples examples{.crop = {.side_px = 32, .expand = 1.2}, .jitter = 0.2};
  for (const Instance& instance : list_instances(scene.ids, scene.labels)) {
    examples.boxes.push_back({0, instance});
  }
  const LabelledPicture picture{std::move(scene.image), scene.labels, scene.ids};
  std::int64_t least = 32 * 32, most = 0;
  for (std::uint32_t i = 0; i < 20; ++i) {
    RandomStream random(1, 0, i);
    const LabelledPicture crop =
        box_example(picture, examples, 1, {.flip_horizontal = 1, .flip_vertical = 1}, random);
    std::int64_t inside = 0;
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) {
        const bool marked = crop.labels(y, x) == box_label(1, true);
        inside += marked;
        const int grey = crop.image.row<std::uint8_t>(y)[x];
        // Picture and labels agree, but for what lies between two pixels.
        EXPECT_TRUE(marked || grey != 20);
        EXPECT_TRUE(!marked || grey != 100);
      }
    }
    least = std::min(least, inside);
    most = std::max(most, inside);
  }
  // Unmoved, 1/1.44 of the crop: 711. Sides move by a fifth.
  EXPECT_LT(least, 650);
  EXPECT_GT(most, 750);
}

Dataset on_disk(const TemporaryFolder& folder) {
  const TwoObjects scene;
  Dataset dataset;
  dataset.root = folder.path();
  dataset.classes = {{"background", {}}, {"bright", {}}, {"dark", {}}};
  dataset.encoding.to_class = {{0, 0}, {1, 1}, {2, 2}, {255, kIgnoreLabel}};
  dataset.channels = 1;
  folder.png("images/a.png", scene.image);
  write_file(folder / "masks/none", "");
  write_label_png(folder / "masks/a.png", scene.labels, Palette::voc(3));
  write_file(folder / "instances/none", "");
  write_label_png(folder / "instances/a.png", scene.ids, Palette::voc(10));
  dataset.splits["train"] = {{.name = "a",
                              .image = "images/a.png",
                              .mask = "masks/a.png",
                              .instances = "instances/a.png"}};
  return dataset;
}

TEST(BoxExamples, TheLoaderShowsEveryBoxOnceInAnEpoch) {
  const TemporaryFolder folder;
  const Dataset dataset = on_disk(folder);
  auto examples = std::make_shared<BoxExamples>();
  examples->boxes = find_boxes(dataset, "train");
  examples->crop.side_px = 40;
  const LoaderOptions options{.batch_size = 2,
                              .augment = kPlain,
                              .preprocess = {.mean = {0}, .std = {1}},
                              .boxes = examples,
                              .seed = 4};
  Loader loader(dataset, options);
  EXPECT_EQ(loader.sample_count(), 2);
  const Batch batch = loader.next();
  EXPECT_THAT(batch.samples, testing::UnorderedElementsAre(0, 1));
  EXPECT_EQ(batch.images.shape(), Shape({2, 1, 40, 40}));
  ASSERT_THAT(batch.labels, SizeIs(2 * 40 * 40));
  for (const std::uint16_t label : {0, 1, 2, 3}) EXPECT_THAT(batch.labels, Contains(label));
}

TEST(BoxExamples, NoObjectsAreToldBeforeTheTraining) {
  const TemporaryFolder folder;
  const Dataset dataset = on_disk(folder);
  LoaderOptions options{.boxes = std::make_shared<BoxExamples>()};
  EXPECT_THAT(error_of([&] { Loader(dataset, options); }),
              HasSubstr("the pictures of split \"train\" show no object to train on"));
}

}  // namespace
}  // namespace segmentum
