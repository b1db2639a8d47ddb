#include "segmentum/segmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/file.h"
#include "base/threads.h"
#include "image/resize.h"
#include "infer/labelling.h"
#include "infer/make_segmenter.h"
#include "infer/network.h"
#include "infer/testing.h"

namespace segmentum {
namespace {

using Engine = SegmenterOptions::Engine;
using testing::HasSubstr;

/// What must hold for both engines.
class SegmenterOf : public testing::TestWithParam<Engine> {
 protected:
  SegmenterOptions with(SegmenterOptions options) const {
    options.engine = GetParam();
    if (options.threads == 0) options.threads = 1;  // of many tests that run side by side
    return options;
  }
  /// Narrow for the plain loops; wide enough on the cpu engine for its Winograd kernels.
  static Model model(const std::string& architecture, int logits = 3) {
    return tiny_model(architecture, logits, GetParam() == Engine::cpu ? 16 : 4);
  }
};

/// In how many a picture is run.
int parts(Model model, const SegmenterOptions& options, int height, int width) {
  Network network(std::move(model), options);
  return network.tiled_inference().grid(height, width).count();
}

INSTANTIATE_TEST_SUITE_P(Engines, SegmenterOf, testing::Values(Engine::cpu, Engine::reference),
                         [](const auto& engine) {
                           return engine.param == Engine::cpu ? "cpu" : "reference";
                         });

TEST_P(SegmenterOf, AnySizeGivesALabelMapOfExactlyThatSize) {
  std::vector<int> sides;
  for (int side = 1; side <= 40; ++side) sides.push_back(side);
  for (int side : {63, 64, 65, 127, 128, 129, 130}) sides.push_back(side);
  for (const char* architecture : {"unet", "fcn8s"}) {
    const Segmenter segmenter = make_segmenter(model(architecture), with({}));
    const int count = static_cast<int>(sides.size());
    for (int i = 0; i < count; ++i) {  // each height with two widths, near and far
      for (int j : {i, (i * 17 + 5) % count}) {
        const LabelMap labels = segmenter.segment(noise_picture(sides[i], sides[j]));
        ASSERT_EQ(labels.height(), sides[i]);
        ASSERT_EQ(labels.width(), sides[j]);
        ASSERT_LT(*std::ranges::max_element(labels.labels()), 3) << architecture;
      }
    }
  }
}

TEST_P(SegmenterOf, TilesGiveTheBitsOfTheWholePicture) {
  struct Case {
    const char* architecture;
    int height, width;
  };
  // The FCN looks 256 pixels around, the U-Net 24, and the cpu engine some more to keep the bits:
  // both are cut, at borders of all kinds.
  for (const Case& c : {Case{"unet", 67, 750}, Case{"unet", 751, 40}, Case{"unet", 520, 520},
                        Case{"fcn8s", 33, 2413}, Case{"fcn8s", 2377, 17}}) {
    ASSERT_GT(parts(model(c.architecture), with({.tile = 16}), c.height, c.width), 1);
    const Image picture = noise_picture(c.height, c.width);
    const Probabilities whole =
        make_segmenter(model(c.architecture), with({.tile = 1 << 20})).probabilities(picture);
    const Segmenter tiles = make_segmenter(model(c.architecture), with({.tile = 16}));
    EXPECT_TRUE(std::ranges::equal(whole.values(), tiles.probabilities(picture).values()))
        << c.architecture << " " << c.height << "x" << c.width;
    EXPECT_EQ(tiles.segment(picture), most_probable(whole, false));
  }
}

/// Heights that are no multiples of a band, nor of the network's strides.
TEST_P(SegmenterOf, BandsGiveTheBitsOfTheWholePicture) {
  struct Size {
    int height, width;
  };
  const std::size_t little = GetParam() == Engine::cpu ? 8 << 20 : 1 << 20;
  for (const Size& size : {Size{701, 203}, Size{397, 602}, Size{512, 336}}) {
    Network network(model("unet"), with({.memory_limit_bytes = little}));
    const TileGrid grid = network.tiled_inference().grid(size.height, size.width);
    ASSERT_EQ(grid.rows, BandPlan::unit(network.graph(), network.executor().grid()));
    ASSERT_GT(grid.count_across(), size.width / 600);
    const Image picture = noise_picture(size.height, size.width);
    for (const bool flip : {false, true}) {
      const Segmenter whole = make_segmenter(model("unet"), with({.flip = flip}));
      const Segmenter bands =
          make_segmenter(model("unet"), with({.memory_limit_bytes = little, .flip = flip}));
      EXPECT_EQ(whole.segment(picture), bands.segment(picture));
      EXPECT_TRUE(std::ranges::equal(whole.probabilities(picture).values(),
                                     bands.probabilities(picture).values()));
    }
  }
}

/// The published U-Net's way: unpadded convolutions on a mirrored frame.
TEST_P(SegmenterOf, TilesOfAMirroredFrameGiveTheBitsOfTheWholePicture) {
  const auto unpadded = [] {
    Model tiny = model("unet");
    tiny.graph = build_model(
        "unet",
        {.classes = 3,
         .settings = {{"width", tiny.settings.at("width")}, {"depth", "2"}, {"padding", "valid"}}});
    tiny.parameters = initialise(tiny.graph, 3);
    return tiny;
  };
  const Image picture = noise_picture(331, 98);
  ASSERT_GT(parts(unpadded(), with({.tile = 8}), 331, 98), 1);
  const Probabilities whole = make_segmenter(unpadded(), with({})).probabilities(picture);
  const Probabilities tiles = make_segmenter(unpadded(), with({.tile = 8})).probabilities(picture);
  EXPECT_TRUE(std::ranges::equal(whole.values(), tiles.values()));
}

/// Convolutions that compute groups of pixels a dilation apart, and one that does not, at half
/// size.
TEST_P(SegmenterOf, TilesOfDilatedConvolutionsGiveTheBitsOfTheWholePicture) {
  const int width = GetParam() == Engine::cpu ? 16 : 2;
  const auto dilated = [&] {
    Model tiny = model("unet");
    GraphBuilder g("dilated");
    const ValueId image = g.input("image", {.channels = 3});
    ValueId x = g.conv("stem", image, {.channels = width, .kernel = 3, .stride = 2, .padding = 1});
    for (const int d : {1, 2, 4, 12}) {
      x = g.conv("d" + std::to_string(d), x,
                 {.channels = width, .kernel = 3, .dilation = d, .padding = d});
    }
    x = g.conv("score", x, {.channels = 3});
    g.output("logits", g.resize("up", x, {.scale = 2}));
    tiny.graph = std::move(g).build();
    tiny.parameters = initialise(tiny.graph, 3);
    return tiny;
  };
  const Image picture = noise_picture(348, 62);
  ASSERT_GT(parts(dilated(), with({.tile = 8}), 348, 62), 1);
  const Probabilities whole = make_segmenter(dilated(), with({})).probabilities(picture);
  const Probabilities tiles = make_segmenter(dilated(), with({.tile = 8})).probabilities(picture);
  EXPECT_TRUE(std::ranges::equal(whole.values(), tiles.values()));
}

TEST_P(SegmenterOf, ThreadsWithAContextEachAgree) {
  const Segmenter segmenter = make_segmenter(model("unet"), with({.threads = 1}));
  std::vector<Image> pictures;
  std::vector<LabelMap> expected;
  for (int i = 0; i < 6; ++i) {
    pictures.push_back(noise_picture(20 + 3 * i, 31 - i, 100 + i));
    expected.push_back(segmenter.segment(pictures.back()));
  }
  std::vector<std::vector<LabelMap>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&] {
      Segmenter::Context context = segmenter.make_context();
      for (const Image& picture : pictures) mine.push_back(context.segment(picture));
      mine.push_back(segmenter.segment(pictures[0]));  // the shared contexts
    });
  }
  for (std::thread& thread : threads) thread.join();
  expected.push_back(expected[0]);
  for (const auto& mine : got) EXPECT_EQ(mine, expected);
}

TEST_P(SegmenterOf, TheNumberOfThreadsChangesNothing) {
  const Image picture = noise_picture(45, 61);
  const auto probabilities = [&](int count) {
    return make_segmenter(model("unet"), with({.threads = count})).probabilities(picture);
  };
  const int before = threads();
  EXPECT_TRUE(std::ranges::equal(probabilities(1).values(), probabilities(2).values()));
  EXPECT_EQ(threads(), before);
}

TEST_P(SegmenterOf, ProbabilitiesSumToOneAndAgreeWithTheLabels) {
  const Segmenter segmenter = make_segmenter(model("unet"), with({}));
  const Image picture = noise_picture(19, 23);
  const Probabilities p = segmenter.probabilities(picture);
  const LabelMap labels = segmenter.segment(picture);
  ASSERT_EQ(p.classes(), 3);
  for (int y = 0; y < 19; ++y) {
    for (int x = 0; x < 23; ++x) {
      EXPECT_NEAR(p(0, y, x) + p(1, y, x) + p(2, y, x), 1, 1e-6);  // a few roundings of 2^-24
      for (int k = 0; k < 3; ++k) EXPECT_LE(p(k, y, x), p(labels(y, x), y, x));
    }
  }
}

TEST_P(SegmenterOf, FlippedResultsAreTheMeanOfBoth) {
  const Image picture = noise_picture(18, 375);
  const Image mirror = mirrored_picture(picture);
  ASSERT_GT(parts(model("unet"), with({.tile = 8}), 18, 375), 1);
  const Segmenter plain = make_segmenter(model("unet"), with({}));
  const Segmenter flip = make_segmenter(model("unet"), with({.flip = true}));
  const Segmenter tiled = make_segmenter(model("unet"), with({.tile = 8, .flip = true}));
  const Probabilities a = plain.probabilities(picture);
  const Probabilities b = plain.probabilities(mirror);
  const Probabilities mean = flip.probabilities(picture);
  for (int k = 0; k < 3; ++k) {
    for (int y = 0; y < 18; ++y) {
      for (int x = 0; x < 375; ++x) {
        EXPECT_NEAR(mean(k, y, x), (a(k, y, x) + b(k, y, 374 - x)) / 2, 1e-6);
      }
    }
  }
  EXPECT_TRUE(std::ranges::equal(mean.values(), tiled.probabilities(picture).values()));
  EXPECT_EQ(flip.segment(picture), tiled.segment(picture));
}

// Sides that are no multiples: 19x375 at a half is 10x188.
TEST_P(SegmenterOf, ScalesAreAveragedAtThePicturesSize) {
  const Image picture = noise_picture(19, 375);
  const Segmenter plain = make_segmenter(model("unet"), with({}));
  const Segmenter both = make_segmenter(model("unet"), with({.scales = {0.5f, 1}}));
  const Segmenter tiled = make_segmenter(model("unet"), with({.tile = 8, .scales = {0.5f, 1}}));
  const Probabilities whole = plain.probabilities(picture);
  const Probabilities half = plain.probabilities(resize(picture, 10, 188, {.antialias = true}));
  const Probabilities mean = both.probabilities(picture);
  for (int k = 0; k < 3; ++k) {
    const ImageView plane{half.row(k, 0), 10, 188, 1, PixelType::f32};
    const Image drawn = resize(plane, 19, 375);
    for (int y = 0; y < 19; ++y) {
      for (int x = 0; x < 375; ++x) {
        EXPECT_NEAR(mean(k, y, x), (whole(k, y, x) + drawn.row<float>(y)[x]) / 2, 1e-6);
      }
    }
  }
  EXPECT_TRUE(std::ranges::equal(mean.values(), tiled.probabilities(picture).values()));
  EXPECT_EQ(both.segment(picture), tiled.segment(picture));
  const Segmenter itself = make_segmenter(model("unet"), with({.scales = {1}}));
  EXPECT_EQ(itself.segment(picture), plain.segment(picture));
  EXPECT_THROW(make_segmenter(model("unet"), with({.scales = {0}})), Error);
}

// With a mirrored picture too; a picture of one pixel stays one.
TEST_P(SegmenterOf, ScalesAndFlipGoTogether) {
  const Segmenter segmenter =
      make_segmenter(model("unet"), with({.flip = true, .scales = {0.1f, 2}}));
  for (const auto& [h, w] : {std::pair{1, 1}, {13, 7}}) {
    const Probabilities p = segmenter.probabilities(noise_picture(h, w));
    EXPECT_NEAR(p(0, h - 1, w - 1) + p(1, h - 1, w - 1) + p(2, h - 1, w - 1), 1, 1e-5);
  }
}

TEST_P(SegmenterOf, OneLogitMeansTwoClasses) {
  const Segmenter segmenter = make_segmenter(model("unet", 1), with({}));
  const Image picture = noise_picture(21, 22);
  const LabelMap labels = segmenter.segment(picture);
  const Probabilities p = segmenter.probabilities(picture);
  ASSERT_EQ(p.classes(), 2);
  int foreground = 0;
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 22; ++x) {
      EXPECT_EQ(labels(y, x), p(1, y, x) >= 0.5f ? 1 : 0);
      foreground += labels(y, x);
    }
  }
  EXPECT_GT(foreground, 0);
  EXPECT_LT(foreground, 21 * 22);
}

TEST(Segmenter, BothEnginesAgree) {
  const Image picture = noise_picture(40, 51);
  for (const char* architecture : {"unet", "fcn8s"}) {
    const auto run = [&](Engine engine) {
      return make_segmenter(tiny_model(architecture), {.engine = engine}).probabilities(picture);
    };
    const Probabilities a = run(Engine::cpu);
    const Probabilities b = run(Engine::reference);
    for (std::size_t i = 0; i < a.values().size(); ++i) {
      ASSERT_NEAR(a.values()[i], b.values()[i], 1e-4) << architecture;  // sums in another order
    }
  }
}

TEST(Segmenter, SmallMemoryMeansTilesAndTheSameLabels) {
  const Image picture = noise_picture(300, 320);
  const Segmenter whole = make_segmenter(tiny_model("unet"));
  const Segmenter tiles = make_segmenter(tiny_model("unet"), {.memory_limit_bytes = 1 << 20});
  EXPECT_EQ(whole.segment(picture), tiles.segment(picture));
}

TEST(Segmenter, NetworksThatSeeTheWholePictureAreNotCut) {
  GraphBuilder g("global");
  const ValueId image = g.input("image", {.channels = 3});
  g.output("logits", g.multiply("scaled", image, g.global_average_pool("mean", image)));
  Model model = tiny_model("unet");
  model.graph = std::move(g).build();
  model.parameters = {};
  EXPECT_EQ(parts(std::move(model), {.tile = 16}, 1000, 1000), 1);
}

TEST(Segmenter, LoadedModelTellsItsClasses) {
  const auto path = std::filesystem::path(testing::TempDir()) / "loaded.segmentum";
  save_model(path, tiny_model("unet"));
  const Segmenter segmenter = Segmenter::load(path.string());
  EXPECT_EQ(segmenter.classes().size(), 3u);
  EXPECT_EQ(segmenter.classes()[1].name, "road");
  EXPECT_EQ(segmenter.input_channels(), 3);
  EXPECT_EQ(segmenter.segment(noise_picture(5, 6)),
            make_segmenter(tiny_model("unet")).segment(noise_picture(5, 6)));
  std::filesystem::remove(path);
}

TEST(Segmenter, GreyPicturesAndStridesFitAColourNetwork) {
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  const std::uint8_t grey[] = {10, 200, 99, 30, 40, 99};  // two columns and one of padding
  const std::uint8_t colour[] = {10, 10, 10, 200, 200, 200, 30, 30, 30, 40, 40, 40};
  EXPECT_EQ(segmenter.segment({grey, 2, 2, 1, PixelType::u8, 3}),
            segmenter.segment({colour, 2, 2, 3, PixelType::u8, 0}));
}

std::string complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Segmenter, ErrorsSayWhatWouldWork) {
  EXPECT_EQ(complaint([] { Segmenter::load("no/such.segmentum"); }),
            "no/such.segmentum: there is no such file");
  const auto text = std::filesystem::path(testing::TempDir()) / "text.segmentum";
  write_file(text, "weights? no, a text");
  EXPECT_THAT(complaint([&] { Segmenter::load(text.string()); }),
              HasSubstr("text.segmentum: is not a safetensors file"));
  std::filesystem::remove(text);

  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  EXPECT_EQ(complaint([&] { segmenter.segment(Image(4, 4, 5)); }),
            "the picture has 5 channels but the network reads 3; give pictures of that many "
            "channels");
  EXPECT_THAT(complaint([&] { segmenter.segment(ImageView{}); }),
              HasSubstr("the picture is empty"));
  EXPECT_EQ(segmenter.segment(noise_picture(3, 3)).height(), 3);  // still works afterwards
  EXPECT_THAT(complaint([] { make_segmenter(tiny_model("unet"), {.tile = -1}); }),
              HasSubstr("tile and threads must be"));
}

/// Small enough a field that it shows on small pictures.
CrfSettings near_field() {
  return {.iterations = 2, .bilateral_sigma_px = 6, .bilateral_sigma_colour = 40};
}

TEST(SegmenterWithCrf, ProbabilitiesAreTheMarginals) {
  const Image picture = noise_picture(21, 34);
  const Segmenter plain = make_segmenter(tiny_model("unet"));
  const Segmenter refined =
      make_segmenter(tiny_model("unet"), {.crf = true, .crf_settings = near_field()});
  const Probabilities expected = apply_crf(picture, plain.probabilities(picture), near_field());
  EXPECT_TRUE(std::ranges::equal(refined.probabilities(picture).values(), expected.values()));
  EXPECT_EQ(refined.segment(picture), most_probable(expected, false));
  EXPECT_NE(refined.segment(picture), plain.segment(picture));
}

TEST(SegmenterWithCrf, SettingsOfTheOptionsOfTheModelAndTheDefaults) {
  Model model = tiny_model("unet");
  EXPECT_EQ(make_segmenter(tiny_model("unet")).crf_settings(), CrfSettings());
  EXPECT_FALSE(make_segmenter(tiny_model("unet")).has_crf_settings());
  model.crf = near_field();
  const Segmenter stored = make_segmenter(std::move(model));
  EXPECT_TRUE(stored.has_crf_settings());
  EXPECT_EQ(stored.crf_settings(), near_field());
  const CrfSettings other{.iterations = 7};
  model = tiny_model("unet");
  model.crf = near_field();
  EXPECT_EQ(make_segmenter(std::move(model), {.crf_settings = other}).crf_settings(), other);
  EXPECT_THROW(
      make_segmenter(tiny_model("unet"), {.crf_settings = CrfSettings{.spatial_sigma_px = 0}}),
      Error);
}

TEST(SegmenterWithCrf, NeverUnlessAskedFor) {
  Model model = tiny_model("unet");
  model.crf = near_field();
  const Image picture = noise_picture(21, 34);
  EXPECT_EQ(make_segmenter(std::move(model)).segment(picture),
            make_segmenter(tiny_model("unet")).segment(picture));
}

TEST(SegmenterWithCrf, AlphaIsNoColour) {
  const Image picture = noise_picture(12, 13);
  Image with_alpha(12, 13, 4);
  RandomStream random(1, 0, 0);
  for (int i = 0; i < 12 * 13; ++i) {
    for (int c = 0; c < 3; ++c) {
      with_alpha.row<std::uint8_t>(0)[4 * i + c] = picture.row<std::uint8_t>(0)[3 * i + c];
    }
    with_alpha.row<std::uint8_t>(0)[4 * i + 3] = static_cast<std::uint8_t>(random.bits());
  }
  const Segmenter refined =
      make_segmenter(tiny_model("unet"), {.crf = true, .crf_settings = near_field()});
  EXPECT_EQ(refined.segment(with_alpha), refined.segment(picture));
}

TEST(SegmenterWithCrf, OneClassHeads) {
  const Image picture = noise_picture(12, 13);
  CrfSettings none = near_field();
  none.iterations = 0;
  const Segmenter unmoved =
      make_segmenter(tiny_model("unet", 1), {.crf = true, .crf_settings = none});
  EXPECT_EQ(unmoved.segment(picture), make_segmenter(tiny_model("unet", 1)).segment(picture));
}

}  // namespace
}  // namespace segmentum
