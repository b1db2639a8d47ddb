#include "infer/stream_picture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/random.h"
#include "image/codec.h"
#include "image/label_tiff.h"
#include "infer/make_segmenter.h"
#include "infer/predict_files.h"
#include "infer/region_labels.h"
#include "infer/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class StreamPicture : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("stream_picture_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name) const { return folder_ / name; }
  fs::path picture(const std::string& name, int height, int width) const {
    write_png(path(name), noise_picture(height, width));
    return path(name);
  }

  fs::path folder_;
};

SegmenterOptions with_tiles(int tile, bool flip = false) {
  return {.threads = 1, .tile = tile, .flip = flip};
}

/// Class indices of a streamed file.
LabelMap labels_in(const fs::path& path) {
  const RawMask mask = read_mask(path);
  LabelMap labels(mask.values.height(), mask.values.width());
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      labels(y, x) = mask.values.type() == PixelType::u8 ? mask.values.row<std::uint8_t>(y)[x]
                                                         : mask.values.row<std::uint16_t>(y)[x];
    }
  }
  return labels;
}

/// Five bands of 16 bits, in tiles.
void write_bands(const fs::path& path, int height, int width) {
  constexpr int kBands = 5, kSide = 128;
  TIFF* tiff = TIFFOpen(path.c_str(), "w8");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kBands);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kSide);
  TIFFSetField(tiff, TIFFTAG_TILELENGTH, kSide);
  RandomStream random(8, 0, 0);
  std::vector<std::uint16_t> tile(kSide * kSide * kBands);
  for (int y = 0; y < height; y += kSide) {
    for (int x = 0; x < width; x += kSide) {
      for (std::uint16_t& value : tile) value = static_cast<std::uint16_t>(random.bits());
      TIFFWriteTile(tiff, tile.data(), x, y, 0, 0);
    }
  }
  TIFFClose(tiff);
}

/// Stops after so many updates.
class Stopper : public ProgressSink {
 public:
  explicit Stopper(int after = 1 << 30) : left_(after) {}
  void begin(const std::string&, std::int64_t, const std::string&) override {}
  void update(std::int64_t, const std::string&) override { --left_; }
  void end() override {}
  void message(const std::string& line) override { lines.push_back(line); }
  bool stop_requested() override { return left_ <= 0; }

  std::vector<std::string> lines;

 private:
  int left_;
};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

struct Choice {
  const char* architecture;
  std::map<std::string, std::string> settings;
};

Model model_of(const Choice& network) {
  Model model = tiny_model("unet");
  const ModelOptions options{.input_channels = 3, .classes = 3, .settings = network.settings};
  model.graph = build_model(network.architecture, options);
  model.parameters = initialise(model.graph, 5);
  model.settings = resolved_settings(network.architecture, options);
  return model;
}

/// Streamed in tiles = as a whole, for every family that can be cut.
class StreamedNetwork : public StreamPicture, public testing::WithParamInterface<Choice> {};

TEST_P(StreamedNetwork, GivesTheLabelsOfTheWholePicture) {
  const fs::path input = picture("in.png", 530, 601);
  const Segmenter whole = make_segmenter(model_of(GetParam()), with_tiles(1 << 20));
  const Segmenter tiles = make_segmenter(model_of(GetParam()), with_tiles(256));
  stream_picture(tiles, input, path("out.tif"), {.proofs = 2});
  EXPECT_EQ(labels_in(path("out.tif")), whole.segment(read_image(input)));
}

INSTANTIATE_TEST_SUITE_P(
    Families, StreamedNetwork,
    testing::Values(Choice{"unet", {{"width", "16"}, {"depth", "3"}}},
                    Choice{"unet", {{"width", "16"}, {"depth", "2"}, {"up", "bilinear"}}},
                    Choice{"unet", {{"width", "16"}, {"depth", "2"}, {"padding", "valid"}}},
                    Choice{"fcn8s", {{"width", "16"}, {"fc_channels", "8"}}},
                    Choice{
                        "deeplab_v3plus",
                        {{"backbone", "resnet18"}, {"width", "16"}, {"image_pooling", "false"}}}),
    [](const auto& tested) {
      return fmt::format("{}_{}", tested.param.architecture, tested.index);
    });

TEST_F(StreamPicture, AveragesWithTheMirroredPicture) {
  const fs::path input = picture("in.png", 300, 523);
  const Segmenter whole = make_segmenter(tiny_model("unet"), with_tiles(1 << 20, true));
  stream_picture(make_segmenter(tiny_model("unet"), with_tiles(256, true)), input, path("out.tif"));
  EXPECT_EQ(labels_in(path("out.tif")), whole.segment(read_image(input)));
}

TEST_F(StreamPicture, AOneClassHeadAndSourceValues) {
  const fs::path input = picture("in.png", 260, 300);
  Model model = tiny_model("unet", 1);
  model.source_values = {0, 200};
  const Segmenter segmenter = make_segmenter(std::move(model), with_tiles(256));
  const LabelMap labels = segmenter.segment(read_image(input));
  stream_picture(segmenter, input, path("out.tif"), {.source_values = true});
  const RawMask mask = read_mask(path("out.tif"));
  EXPECT_TRUE(mask.palette.empty());
  for (int y = 0; y < 260; ++y) {
    for (int x = 0; x < 300; ++x) {
      ASSERT_EQ(mask.values.row<std::uint8_t>(y)[x], labels(y, x) * 200);
    }
  }
}

TEST_F(StreamPicture, FiveBandsOf16Bits) {
  write_bands(path("bands.tif"), 400, 530);
  Model model = tiny_model("unet");
  const ModelOptions options{
      .input_channels = 5, .classes = 3, .settings = {{"width", "16"}, {"depth", "2"}}};
  model.graph = build_model("unet", options);
  model.parameters = initialise(model.graph, 5);
  model.preprocess = {.mean = std::vector<float>(5, 0.5f), .std = std::vector<float>(5, 0.3f)};
  const Segmenter segmenter = make_segmenter(std::move(model), with_tiles(256));
  stream_picture(segmenter, path("bands.tif"), path("out.tif"), {.proofs = 1});
  EXPECT_EQ(labels_in(path("out.tif")), segmenter.segment(read_image(path("bands.tif"))));
}

/// Columns of parts gone down band by band: broken off anywhere, the labels are the whole's.
TEST_F(StreamPicture, GoesByBandsWhereTheyReadLess) {
  constexpr int kHeight = 1403, kWidth = 1100;  // five rows of it mirrored
  write_bands(path("bands.tif"), kHeight, kWidth);
  const auto model = [] {
    Model model = tiny_model("unet");
    const ModelOptions options{
        .input_channels = 5, .classes = 3, .settings = {{"width", "16"}, {"depth", "3"}}};
    model.graph = build_model("unet", options);
    model.parameters = initialise(model.graph, 5);
    model.preprocess = {.mean = std::vector<float>(5, 0.5f), .std = std::vector<float>(5, 0.3f)};
    return model;
  };
  const auto little = [&](int threads) {
    return make_segmenter(model(),
                          {.threads = threads, .memory_limit_bytes = std::size_t{200} << 20});
  };
  const fs::path out = path("out.tif");
  for (int stops = 0; stops < 2; ++stops) {
    Stopper stopper(2);
    EXPECT_THROW(stream_picture(little(2), path("bands.tif"), out, {.resume = stops > 0}, &stopper),
                 Interrupted);
  }
  Stopper none;
  stream_picture(little(1), path("bands.tif"), out, {.resume = true, .proofs = 3}, &none);
  EXPECT_THAT(none.lines, testing::Contains(HasSubstr("goes on: 4 of ")));
  EXPECT_THAT(tiff_description(out), HasSubstr(" in bands of "));
  const Segmenter whole = make_segmenter(model(), {.threads = 2});
  EXPECT_EQ(labels_in(out), whole.segment(read_image(path("bands.tif"))));
}

// The mirrored margin is longer than the picture is.
TEST_F(StreamPicture, PicturesOfAFewRowsAreCutToo) {
  for (const auto& [height, width] : {std::pair{1, 700}, std::pair{3, 2}, std::pair{900, 2}}) {
    const std::string name = fmt::format("{}x{}.png", height, width);
    const fs::path input = picture(name, height, width), out = path(name + ".tif");
    Stopper none;
    stream_picture(make_segmenter(tiny_model("unet"), with_tiles(256)), input, out, {.proofs = 2},
                   &none);
    EXPECT_EQ(labels_in(out), make_segmenter(tiny_model("unet")).segment(read_image(input)));
  }
}

TEST_F(StreamPicture, GoesOnWhereItWasStopped) {
  const fs::path input = picture("in.png", 520, 780);
  const Segmenter segmenter = make_segmenter(tiny_model("unet"), with_tiles(256));
  const fs::path out = path("out.tif");
  for (int stops = 0; stops < 4; ++stops) {
    Stopper stopper(2);
    EXPECT_THROW(stream_picture(segmenter, input, out, {.resume = stops > 0}, &stopper),
                 Interrupted);
    EXPECT_FALSE(fs::exists(out));
    EXPECT_THAT(stopper.lines.back(), HasSubstr("--resume goes on with it"));
    EXPECT_THAT(error_of([&] { stream_picture(segmenter, input, out); }),
                HasSubstr("out.tif.part: is what an earlier run left; --resume goes on with it"));
  }
  Stopper none;
  stream_picture(segmenter, input, out, {.resume = true}, &none);
  EXPECT_THAT(none.lines, testing::ElementsAre(HasSubstr("goes on: 8 of 12 parts are there")));
  EXPECT_EQ(labels_in(out), segmenter.segment(read_image(input)));
  // A finished one is left alone, even where tiles would now be others.
  const auto time = fs::last_write_time(out);
  const fs::path journal = out.string() + ".part.journal";
  write_file(journal, "of a run that was killed at its very end");
  stream_picture(make_segmenter(tiny_model("unet"), with_tiles(512)), input, out, {.resume = true},
                 &none);
  EXPECT_EQ(fs::last_write_time(out), time);
  EXPECT_THAT(none.lines.back(), HasSubstr("is finished already"));
  EXPECT_FALSE(fs::exists(journal));
}

TEST_F(StreamPicture, AnotherPictureModelOrOptionIsNoneToGoOnWith) {
  const fs::path input = picture("in.png", 300, 600);
  const Segmenter segmenter = make_segmenter(tiny_model("unet"), with_tiles(256));
  Stopper stopper(1);
  EXPECT_THROW(stream_picture(segmenter, input, path("out.tif"), {}, &stopper), Interrupted);
  const auto expect_refused = [&](const Segmenter& other, const StreamOptions& options) {
    EXPECT_THAT(error_of([&] { stream_picture(other, input, path("out.tif"), options); }),
                HasSubstr("is of another picture, model or option"));
  };
  Model changed = tiny_model("unet");
  changed.parameters.change(changed.parameters.all().begin()->first).values()[0] += 1;
  expect_refused(make_segmenter(std::move(changed), with_tiles(256)), {.resume = true});
  expect_refused(make_segmenter(tiny_model("unet"), with_tiles(256, true)), {.resume = true});
  expect_refused(segmenter, {.resume = true, .source_values = true});
  picture("in.png", 300, 601);
  expect_refused(segmenter, {.resume = true});
}

TEST_F(StreamPicture, AProofFindsWhatIsWrong) {
  const fs::path input = picture("in.png", 300, 300);
  const Segmenter segmenter = make_segmenter(tiny_model("unet"), with_tiles(256));
  // What another model would write, told as this one's: the places of tiles and the identity stay.
  Stopper stopper(1);
  EXPECT_THROW(stream_picture(segmenter, input, path("out.tif"), {}, &stopper), Interrupted);
  {
    const auto identity = LabelTiffWriter::unfinished(path("out.tif"));
    ASSERT_TRUE(identity);
    LabelTiffWriter writer(path("out.tif"), {.height = 300, .width = 300}, *identity, true);
    for (const int y : {0, 256}) {
      for (const int x : {0, 256}) {
        if (writer.has(y, x)) continue;
        Image wrong(std::min(256, 300 - y), std::min(256, 300 - x), 1);
        std::fill_n(wrong.row<std::uint8_t>(0), wrong.width() * wrong.height(), std::uint8_t{9});
        writer.write(y, x, wrong);
      }
    }
  }
  for (int run = 0; run < 2; ++run) {  // a finished file is proved again
    EXPECT_THAT(error_of([&] {
                  stream_picture(segmenter, input, path("out.tif"), {.resume = true, .proofs = 9});
                }),
                HasSubstr("the proof failed: "));
  }
}

/// A network that must see everything: refused, or blended, which is smooth but another result.
TEST_F(StreamPicture, NetworksThatSeeTheWholePicture) {
  const fs::path input = picture("in.png", 280, 530);
  const auto pooled = [] {
    return model_of({"deeplab_v3plus", {{"backbone", "resnet18"}, {"width", "8"}}});
  };
  const Segmenter segmenter = make_segmenter(pooled(), with_tiles(256));
  EXPECT_THAT(error_of([&] { stream_picture(segmenter, input, path("out.tif")); }),
              testing::AllOf(HasSubstr("looks at the whole picture at once, by global pooling (\""),
                             HasSubstr("--blend PIXELS")));
  stream_picture(segmenter, input, path("out.tif"), {.blend_px = 64});
  EXPECT_EQ(labels_in(path("out.tif")).width(), 530);
  // One tile sees all there is.
  stream_picture(make_segmenter(pooled(), with_tiles(1024)), input, path("whole.tif"),
                 {.blend_px = 64});
  EXPECT_EQ(labels_in(path("whole.tif")), segmenter.segment(read_image(input)));
  EXPECT_THAT(error_of([&] {
                stream_picture(segmenter, input, path("o.tif"), {.blend_px = 8, .proofs = 1});
              }),
              HasSubstr("does not go with --blend"));
  EXPECT_THAT(error_of([&] { stream_picture(segmenter, input, path("o.tif"), {.blend_px = 300}); }),
              HasSubstr("tiles of 256x256 pixels cannot overlap by 300"));
}

/// Where tiles see enough around their parts, blending changes nothing: weights sum to one.
TEST_F(StreamPicture, BlendedTilesAgreeWithTheWholeWhereTheyCan) {
  Model model = tiny_model("unet");
  GraphBuilder g("pointwise");
  const ValueId image = g.input("image", {.channels = 3});
  g.output("logits", g.conv("score", image, {.channels = 3}));
  model.graph = std::move(g).build();
  model.parameters = initialise(model.graph, 3);
  const Segmenter segmenter = make_segmenter(std::move(model), with_tiles(256));
  const fs::path input = picture("in.png", 700, 540);
  const LabelMap whole = segmenter.segment(read_image(input));
  stream_picture(segmenter, input, path("out.tif"), {.blend_px = 100});
  const LabelMap blended = labels_in(path("out.tif"));
  int different = 0;
  for (int y = 0; y < 700; ++y) {
    for (int x = 0; x < 540; ++x) different += whole(y, x) != blended(y, x) ? 1 : 0;
  }
  // Sums of weighted probabilities are rounded: near-ties may fall the other way.
  EXPECT_LE(different, 4);
  // Broken off in the second row of tiles and resumed, to the same bits.
  Stopper stopper(4);
  EXPECT_THROW(stream_picture(segmenter, input, path("again.tif"), {.blend_px = 100}, &stopper),
               Interrupted);
  stream_picture(segmenter, input, path("again.tif"), {.resume = true, .blend_px = 100});
  EXPECT_EQ(labels_in(path("again.tif")), blended);
}

TEST_F(StreamPicture, PredictFilesStreamsWhatIsLarge) {
  picture("small.png", 20, 20);
  picture("large.png", 300, 300);
  const Segmenter segmenter = make_segmenter(tiny_model("unet"), with_tiles(256));
  const std::vector<std::string> inputs{path("small.png"), path("large.png")};
  const PredictSummary summary =
      predict_files(segmenter, inputs,
                    {.out = path("out"), .stream_over_bytes = std::int64_t{300} * 300 * 5 - 1});
  ASSERT_EQ(summary.files.size(), 2u);
  EXPECT_EQ(summary.files[0].output, path("out/small.png"));
  EXPECT_EQ(summary.files[1].output, path("out/large.tif"));
  EXPECT_EQ(labels_in(path("out/large.tif")), segmenter.segment(read_image(path("large.png"))));
  const PredictSummary failed = predict_files(
      segmenter, inputs, {.out = path("out"), .overlay = true, .streaming = Streaming::always});
  ASSERT_EQ(failed.failures.size(), 2u);
  EXPECT_THAT(failed.failures[0],
              HasSubstr("there is no overlay of pictures that are not in memory"));
}

}  // namespace
}  // namespace segmentum
