#include "data/scenes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/file.h"
#include "data/scene_canvas.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::Throws;

auto error_with(const char* text) {
  return Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

bool same(const Image& a, const Image& b) {
  return a.height() == b.height() && a.width() == b.width() &&
         std::memcmp(a.data(), b.data(), a.height() * a.row_bytes()) == 0;
}

// A folder that is removed with the test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("segmentum_scenes_" + std::to_string(getpid()));
  ~Folder() { std::filesystem::remove_all(path); }
};

// A square over the middle of a 4x4 picture that cuts pixels: a label is that of the pixel's
// centre, a colour the share of the four samples.
TEST(SceneCanvas, LabelsCentresAndAveragesSamples) {
  scene::Canvas canvas(4, 4);
  const scene::Rectangle shape{{0.6f, 0.4f, 2.4f, 2.6f}};
  canvas.paint(
      shape,
      [](scene::Point) {
        return scene::Colour{1, 1, 1};
      },
      3);
  const std::array<std::uint16_t, 16> labels = {0, 3, 0, 0,  //
                                                0, 3, 0, 0,  //
                                                0, 3, 0, 0,  //
                                                0, 0, 0, 0};
  EXPECT_TRUE(std::ranges::equal(canvas.labels().labels(), labels));
  EXPECT_EQ(canvas.pixel(1, 1).r, 1);      // all of it
  EXPECT_EQ(canvas.pixel(1, 0).r, 0.5f);   // its right half
  EXPECT_EQ(canvas.pixel(0, 0).r, 0.25f);  // its lower right quarter
  EXPECT_EQ(canvas.pixel(3, 3).r, 0);
}

TEST(SceneCanvas, PolygonsMayTurnEitherWay) {
  using scene::Point;
  const Point triangle[] = {{0, 0}, {4, 0}, {0, 4}};
  const Point reversed[] = {{0, 4}, {4, 0}, {0, 0}};
  for (const auto& corners : {triangle, reversed}) {
    const scene::ConvexPolygon polygon({corners, 3});
    EXPECT_TRUE(polygon.contains({1, 1}));
    EXPECT_FALSE(polygon.contains({3, 3}));
    EXPECT_FALSE(polygon.contains({-1, 1}));
  }
}

TEST(Scenes, FollowFromSeedAndIndexAlone) {
  const Scene first = generate_scene(5, 3);
  const Scene other = generate_scene(5, 4);
  const Scene again = generate_scene(5, 3);
  EXPECT_TRUE(same(first.image, again.image));
  EXPECT_EQ(first.labels, again.labels);
  EXPECT_FALSE(first.labels == other.labels);
  EXPECT_FALSE(first.labels == generate_scene(6, 3).labels);
}

TEST(Scenes, ComeInAnySize) {
  for (const auto& [height, width] : {std::pair{16, 16}, {33, 71}, {200, 90}}) {
    const Scene scene = generate_scene(1, 2, {.height = height, .width = width});
    EXPECT_EQ(scene.image.height(), height);
    EXPECT_EQ(scene.image.width(), width);
    EXPECT_EQ(scene.image.channels(), 3);
    EXPECT_EQ(scene.labels.height(), height);
    EXPECT_EQ(scene.labels.width(), width);
  }
}

TEST(Scenes, LightBlurAndNoiseLeaveLabelsAlone) {
  const Scene usual = generate_scene(1, 7);
  const Scene plain = generate_scene(1, 7, {.light = 0, .blur = 0, .noise = 0});
  EXPECT_EQ(usual.labels, plain.labels);
  EXPECT_FALSE(same(usual.image, plain.image));
}

TEST(Scenes, EveryClassHasItsShare) {
  const int classes = static_cast<int>(scene_classes().size());
  ASSERT_EQ(classes, 8);
  constexpr int kScenes = 30;
  std::vector<double> share(classes, 0);
  std::vector<int> scenes_with(classes, 0);
  for (int i = 0; i < kScenes; ++i) {
    const Scene scene = generate_scene(1, i, {.height = 120, .width = 160});
    std::vector<int> pixels(classes, 0);
    for (std::uint16_t label : scene.labels.labels()) {
      ASSERT_LT(label, classes);
      ++pixels[label];
    }
    for (int k = 0; k < classes; ++k) {
      share[k] += pixels[k] / (kScenes * 120.0 * 160.0);
      scenes_with[k] += pixels[k] > 0;
    }
  }
  for (int k = 0; k < classes; ++k) {
    SCOPED_TRACE(scene_classes()[k].name);
    EXPECT_GT(share[k], 0.01);
    EXPECT_LT(share[k], 0.40);
    EXPECT_GE(scenes_with[k], kScenes * 2 / 3);
  }
}

// The best that colour alone can do: for each of 16x16x16 colour bins, its most frequent class.
class ColourClassifier {
 public:
  explicit ColourClassifier(int classes) : classes_(classes), counts_(4096 * classes, 0) {}

  static int bin(const std::uint8_t* rgb) {
    return (rgb[0] >> 4) * 256 + (rgb[1] >> 4) * 16 + (rgb[2] >> 4);
  }
  void learn(const Scene& scene) {
    const auto* rgb = scene.image.row<std::uint8_t>(0);
    for (std::uint16_t label : scene.labels.labels()) {
      ++counts_[bin(rgb) * classes_ + label];
      rgb += 3;
    }
  }
  int classify(const std::uint8_t* rgb) const {
    const auto first = counts_.begin() + bin(rgb) * classes_;
    return static_cast<int>(std::max_element(first, first + classes_) - first);
  }

 private:
  int classes_;
  std::vector<int> counts_;
};

TEST(Scenes, ColourAloneIsNotEnough) {
  const int classes = static_cast<int>(scene_classes().size());
  const SceneOptions options{.height = 120, .width = 160};
  ColourClassifier classifier(classes);
  for (int i = 0; i < 40; ++i) classifier.learn(generate_scene(9, i, options));
  std::vector<double> right(classes, 0), either(classes, 0);
  for (int i = 40; i < 60; ++i) {
    const Scene scene = generate_scene(9, i, options);
    const auto* rgb = scene.image.row<std::uint8_t>(0);
    for (std::uint16_t truth : scene.labels.labels()) {
      const int prediction = classifier.classify(rgb);
      rgb += 3;
      ++either[truth];
      if (prediction == truth) {
        ++right[truth];
      } else {
        ++either[prediction];
      }
    }
  }
  double mean_iou = 0;
  for (int k = 0; k < classes; ++k) mean_iou += right[k] / either[k] / classes;
  RecordProperty("colour_mean_iou", std::to_string(mean_iou));
  EXPECT_LT(mean_iou, 0.5);
  EXPECT_GT(mean_iou, 0.1);  // colour does tell something
}

TEST(WriteScenes, MakesADataSet) {
  const Folder folder;
  const SceneOptions options{.height = 48, .width = 64};
  write_scenes(folder.path, {.train = 3, .val = 1, .test = 2}, 11, options);
  EXPECT_EQ(read_file(folder.path / "test.txt"),
            "test/scene_00000.png testannot/scene_00000.png\n"
            "test/scene_00001.png testannot/scene_00001.png\n");
  EXPECT_THAT(read_file(folder.path / "classes.csv"),
              testing::StartsWith("id,name,r,g,b\n0,sky,70,130,180\n1,building,"));

  // The splits follow each other in the series: the first test scene is the fifth of all.
  const Scene expected = generate_scene(11, 4, options);
  EXPECT_TRUE(same(read_image(folder.path / "test/scene_00000.png"), expected.image));
  const RawMask mask = read_mask(folder.path / "testannot/scene_00000.png");
  ASSERT_EQ(mask.values.type(), PixelType::u8);
  EXPECT_EQ(mask.palette[1], scene_classes()[1].colour);
  const auto* value = mask.values.row<std::uint8_t>(0);
  for (std::uint16_t label : expected.labels.labels()) ASSERT_EQ(*value++, label);
}

struct StopAtOnce : ProgressSink {
  void begin(const std::string&, std::int64_t, const std::string&) override {}
  void update(std::int64_t, const std::string&) override {}
  void end() override {}
  void message(const std::string&) override {}
  bool stop_requested() override { return true; }
};

TEST(WriteScenes, StopsWhenAsked) {
  const Folder folder;
  StopAtOnce progress;
  EXPECT_THROW(write_scenes(folder.path, {.train = 2}, 1, {}, &progress), Interrupted);
}

TEST(Scenes, RejectImpossibleOptions) {
  EXPECT_THAT([] { generate_scene(1, 0, {.height = 8}); }, error_with("320x8 px"));
  EXPECT_THAT([] { generate_scene(1, 0, {.noise = -1}); }, error_with("a scene option is -1"));
  EXPECT_THAT([] { write_scenes("unused", {.train = -1}, 1); }, error_with("-1 scenes for train"));
  const Folder folder;
  write_file(folder.path, "a file where the folder should be");
  EXPECT_THROW(write_scenes(folder.path, {.train = 1, .val = 0, .test = 0}, 1), Error);
}

}  // namespace
}  // namespace segmentum
