#include "train/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "image/codec.h"
#include "infer/tiled_inference.h"
#include "models/registry.h"
#include "train/memory_forecast.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

/// Three classes and a picture of 600x280, larger than what is always run whole.
class Validation : public testing::Test {
 protected:
  Validation() {
    set_threads(1);  // more of them take longer on pictures this small
    dataset_.splits["val"].resize(1);
    for (Sample& sample : dataset_.splits["val"]) {
      Image image(280, 600, 3);
      LabelMap labels(280, 600);
      for (int y = 0; y < 280; ++y) {
        for (int x = 0; x < 600; ++x) {
          labels(y, x) = static_cast<std::uint16_t>((x / 7 + y / 11) % 3);
          for (int c = 0; c < 3; ++c) {
            image.row<std::uint8_t>(y)[3 * x + c] =
                static_cast<std::uint8_t>((x * 31 + y * 17 + c * 5 + x * y) % 251);
          }
        }
      }
      write_png(dataset_.root / sample.image, image);
      write_label_png(dataset_.root / sample.mask, labels, palette_of(dataset_.classes));
    }
  }

  ConfusionMatrix run(const Graph& graph, std::size_t memory_bytes) {
    ParameterStore parameters = initialise(graph, 3);
    return validate(graph, parameters, dataset_, "val", {}, *executor_, sink_, memory_bytes);
  }

  TemporaryFolder folder_{"validation"};
  Dataset dataset_ = make_tiny_dataset(folder_.path());
  std::unique_ptr<Executor> executor_ = make_cpu_executor();
  RecordingSink sink_;
};

TEST_F(Validation, TilesCountWhatWholePicturesCount) {
  const Graph graph =
      build_model("unet", {.classes = 3, .settings = {{"width", "2"}, {"depth", "2"}}});
  const ConfusionMatrix whole = run(graph, std::size_t{1} << 30);
  const std::size_t little = std::size_t{2} << 20;
  ParameterStore parameters = initialise(graph, 3);
  const Preprocess preprocess;
  EXPECT_GT(TiledInference(*executor_, graph, parameters, preprocess, {.memory_bytes = little})
                .grid(280, 600)
                .count(),
            1);
  const ConfusionMatrix tiles = run(graph, little);
  EXPECT_EQ(scores(whole).pixels, 280 * 600);
  for (int truth = 0; truth < 3; ++truth) {
    for (int seen = 0; seen < 3; ++seen) {
      EXPECT_EQ(whole(truth, seen), tiles(truth, seen));
    }
  }
}

// A network with group norm sees the whole picture: it is run whole, whatever the limit.
TEST_F(Validation, NetworksThatSeeEverythingRunWhole) {
  const Graph graph = build_model(
      "unet", {.classes = 3, .settings = {{"width", "2"}, {"depth", "1"}, {"norm", "group"}}});
  EXPECT_EQ(scores(run(graph, 1 << 20)).pixels, 280 * 600);
}

TEST(LeastValidation, IsThatOfTheSmallestTiles) {
  const Graph tiled = build_model("unet", {.settings = {{"width", "2"}, {"depth", "1"}}});
  const Graph whole =
      build_model("unet", {.settings = {{"width", "2"}, {"depth", "1"}, {"norm", "group"}}});
  const Shape small{1, 3, 32, 32}, large{1, 3, 4000, 3000};
  EXPECT_EQ(least_validation_bytes(tiled, small, {.pixels = 4}), inference_floor(tiled, small));
  EXPECT_LT(least_validation_bytes(tiled, large, {.pixels = 4}),
            inference_floor(tiled, {1, 3, 200, 200}));
  EXPECT_EQ(least_validation_bytes(whole, large, {.pixels = 4}), inference_floor(whole, large));
}

}  // namespace
}  // namespace segmentum
