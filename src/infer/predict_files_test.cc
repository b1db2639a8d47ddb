#include "infer/predict_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include "base/file.h"
#include "image/codec.h"
#include "infer/make_segmenter.h"
#include "infer/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class PredictFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("predict_files_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return path(name).string(); }
  void picture(const std::string& name, int height = 6, int width = 9) const {
    fs::create_directories(path(name).parent_path());
    write_png(path(name), noise_picture(height, width));
  }
  std::vector<std::string> names_of(const std::vector<std::string>& inputs,
                                    const std::string& excluded = "out") const {
    std::vector<std::string> names;
    for (const PictureFile& file : list_pictures(inputs, path(excluded))) {
      names.push_back(file.name.string());
    }
    return names;
  }
  std::vector<std::string> stems_of(const std::vector<std::string>& inputs,
                                    PredictOptions options = {}) const {
    options.out = path("out");
    std::vector<std::string> stems;
    for (const fs::path& stem : output_stems(list_pictures(inputs, options.out), options)) {
      stems.push_back(stem.lexically_relative(options.out).string());
    }
    return stems;
  }

 private:
  fs::path folder_;
};

/// Remembers what it is told.
class Recorder : public ProgressSink {
 public:
  void begin(const std::string&, std::int64_t n, const std::string&) override {
    total = n;
    ++open;
  }
  void update(std::int64_t n, const std::string&) override { done = n; }
  void end() override { ended = --open == 0; }
  void message(const std::string& line) override { lines.push_back(line); }
  bool stop_requested() override { return stop; }

  std::int64_t total = 0, done = 0;
  bool ended = false, stop = false;
  int open = 0;  // stretches that began and did not end
  std::vector<std::string> lines;
};

TEST_F(PredictFiles, FoldersFilesAndPatterns) {
  picture("in/b.png");
  picture("in/a.png");
  picture("in/deep/a.png");
  picture("in/.hidden.png");
  picture("out/old.png");
  write_file(path("in/notes.txt"), "no picture");
  EXPECT_THAT(names_of({text("in")}), ElementsAre("a.png", "b.png", "deep/a.png"));
  EXPECT_THAT(names_of({text("in/b.png"), text("in")}),
              ElementsAre("b.png", "a.png", "deep/a.png"));  // each once
  EXPECT_THAT(names_of({text("in/*.png")}), ElementsAre("a.png", "b.png"));
  EXPECT_THAT(names_of({text("*/a.png")}), ElementsAre("in/a.png"));
  EXPECT_THAT(names_of({text("")}), ElementsAre("in/a.png", "in/b.png", "in/deep/a.png"));
  EXPECT_THROW(names_of({text("in/*.tif")}), Error);
  fs::create_directories(path("empty"));
  EXPECT_THROW(names_of({text("empty")}), Error);
}

TEST_F(PredictFiles, NoTwoPicturesShareAFile) {
  picture("in/a.png");
  picture("in/a.jpg");
  picture("other/a.jpg");
  EXPECT_THAT(stems_of({text("in"), text("other")}), ElementsAre("a", "a.png", "a.jpg"));
  EXPECT_THAT(stems_of({text("in/a.jpg"), text("in/a.png"), text("other")}),
              ElementsAre("a", "a.png", "a.jpg"));
  picture("third/a.jpg");
  EXPECT_THAT(stems_of({text("in"), text("other"), text("third")}),
              ElementsAre("a", "a.png", "a.jpg", "a.jpg-2"));
  picture("in/a.overlay.png");
  EXPECT_THAT(stems_of({text("in/a.png"), text("in/a.overlay.png")}, {.overlay = true}),
              ElementsAre("a", "a.overlay.png"));
}

TEST_F(PredictFiles, NoPictureIsReplaced) {
  picture("out/a.png");
  try {
    stems_of({text("out/a.png")});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.png: is one of the pictures and would be replaced"));
  }
}

TEST_F(PredictFiles, LabelsAreWhatTheSegmenterSays) {
  picture("in/a.png", 7, 11);
  picture("in/deep/b.png", 1, 1);
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  const std::vector<std::string> inputs{text("in")};
  const PredictSummary summary = predict_files(
      segmenter, inputs, {.out = path("out"), .overlay = true, .probabilities = true});
  EXPECT_EQ(summary.files.size(), 2u);
  EXPECT_TRUE(summary.failures.empty());
  const LabelMap labels = segmenter.segment(noise_picture(7, 11));
  const RawMask mask = read_mask(path("out/a.png"));
  ASSERT_EQ(mask.values.height(), 7);
  ASSERT_EQ(mask.values.width(), 11);
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 11; ++x) {
      EXPECT_EQ(mask.values.row<std::uint8_t>(y)[x], labels(y, x));
    }
  }
  EXPECT_EQ(mask.palette[1], segmenter.classes()[1].colour);
  EXPECT_EQ(read_image(path("out/a.overlay.png")).width(), 11);
  const std::string npy = read_file(path("out/a.npy"));
  EXPECT_THAT(npy, HasSubstr("'shape': (3,7,11,)"));
  EXPECT_EQ(npy.size() % 64, 3 * 7 * 11 * 4 % 64u);
  EXPECT_TRUE(fs::exists(path("out/deep/b.png")));
}

TEST_F(PredictFiles, ABadFileIsReportedAndSkipped) {
  picture("in/a.png");
  write_file(path("in/b.png"), "no picture at all");
  picture("in/c.png");
  const std::vector<std::string> inputs{text("in"), text("absent.png")};
  Recorder progress;
  const PredictSummary summary =
      predict_files(make_segmenter(tiny_model("unet")), inputs, {.out = path("out")}, &progress);
  EXPECT_EQ(summary.files.size(), 2u);
  ASSERT_EQ(summary.failures.size(), 2u);
  EXPECT_THAT(summary.failures[0], testing::StartsWith(text("in/b.png") + ": "));
  EXPECT_THAT(summary.failures[1], testing::StartsWith(text("absent.png") + ": "));
  EXPECT_EQ(progress.lines, summary.failures);
  EXPECT_EQ(progress.total, 4);
  EXPECT_EQ(progress.done, 4);
  EXPECT_TRUE(progress.ended);
  EXPECT_TRUE(fs::exists(path("out/c.png")));
  EXPECT_FALSE(fs::exists(path("out/b.png")));
}

/// Where a streamed picture fails in the middle, what comes next is no progress of it.
TEST_F(PredictFiles, TheProgressOfAPictureEndsWithIt) {
  picture("in/a.png", 700, 300);
  const std::string whole = read_file(path("in/a.png"));
  write_file(path("in/a.png"), whole.substr(0, whole.size() / 2));
  picture("in/b.png");
  class AtUpdates : public Recorder {
   public:
    void begin(const std::string& task, std::int64_t n, const std::string& unit) override {
      Recorder::begin(task, n, unit);
      totals.push_back(n);
    }
    void update(std::int64_t n, const std::string& detail) override {
      Recorder::update(n, detail);
      EXPECT_LE(n, totals.at(static_cast<std::size_t>(open) - 1)) << detail;
    }
    void end() override {
      Recorder::end();
      totals.pop_back();
    }
    std::vector<std::int64_t> totals;
  } progress;
  const std::vector<std::string> inputs{text("in")};
  const PredictSummary summary =
      predict_files(make_segmenter(tiny_model("unet"), {.tile = 256}), inputs,
                    {.out = path("out"), .streaming = Streaming::always}, &progress);
  EXPECT_EQ(summary.failures.size(), 1u);
  EXPECT_EQ(summary.files.size(), 1u);
  EXPECT_TRUE(progress.ended);
  EXPECT_EQ(progress.open, 0);
}

/// A TIFF file of RGB pictures, of these heights.
void write_stack(const fs::path& file, const std::vector<int>& heights) {
  TIFF* tiff = TIFFOpen(file.c_str(), "w");
  for (std::size_t page = 0; page < heights.size(); ++page) {
    const Image image = noise_picture(heights[page], 9, page);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 9);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, heights[page]);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFWriteEncodedStrip(tiff, 0, const_cast<std::uint8_t*>(image.row<std::uint8_t>(0)),
                          static_cast<tmsize_t>(image.row_bytes()) * heights[page]);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
}

TEST_F(PredictFiles, EveryPageOfAStackIsSegmented) {
  fs::create_directories(path("in"));
  write_stack(path("in/stack.tif"), {6, 6, 6});
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  const std::vector<std::string> inputs{text("in")};
  Recorder progress;
  const PredictSummary summary = predict_files(segmenter, inputs, {.out = path("out")}, &progress);
  EXPECT_THAT(progress.lines, testing::IsEmpty());
  ASSERT_EQ(summary.files.size(), 3u);
  for (int page = 0; page < 3; ++page) {
    const fs::path file = path("out/stack_00" + std::to_string(page) + ".png");
    EXPECT_EQ(summary.files[static_cast<std::size_t>(page)].output, file);
    EXPECT_EQ(summary.files[static_cast<std::size_t>(page)].page, page);
    const LabelMap labels =
        segmenter.segment(noise_picture(6, 9, static_cast<std::uint64_t>(page)));
    const RawMask mask = read_mask(file);
    for (int y = 0; y < 6; ++y) {
      for (int x = 0; x < 9; ++x) ASSERT_EQ(mask.values.row<std::uint8_t>(y)[x], labels(y, x));
    }
  }
}

/// Pages that are no stack, such as a picture and its preview, and pages of a streamed file.
TEST_F(PredictFiles, PagesThatAreLeftOutAreToldOf) {
  fs::create_directories(path("in"));
  write_stack(path("in/pages.tif"), {6, 3, 3});
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  const std::vector<std::string> inputs{text("in")};
  Recorder progress;
  PredictSummary summary = predict_files(segmenter, inputs, {.out = path("out")}, &progress);
  EXPECT_THAT(progress.lines,
              ElementsAre(HasSubstr("pages.tif: holds 3 pictures of different sizes, of which only "
                                    "the first is segmented; save the others")));
  ASSERT_EQ(summary.files.size(), 1u);
  EXPECT_EQ(summary.files[0].output, path("out/pages.png"));
  EXPECT_EQ(read_mask(path("out/pages.png")).values.height(), 6);

  write_stack(path("in/pages.tif"), {6, 6});
  progress.lines.clear();
  summary = predict_files(segmenter, inputs,
                          {.out = path("streamed"), .streaming = Streaming::always}, &progress);
  EXPECT_THAT(progress.lines, testing::Contains(HasSubstr("--stream never segments all of them")));
  ASSERT_EQ(summary.files.size(), 1u);
  EXPECT_EQ(summary.files[0].output, path("streamed/pages.tif"));
}

TEST_F(PredictFiles, PicturesOfOtherKindsAreNamed) {
  fs::create_directories(path("in"));
  write_file(path("in/a.bmp"), "BM");
  write_file(path("in/b.webp"), "RIFF");
  const std::vector<std::string> inputs{text("in")};
  const Segmenter segmenter = make_segmenter(tiny_model("unet"));
  const PredictOptions options{.out = path("out")};
  try {
    predict_files(segmenter, inputs, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("has no pictures that can be read: 2 pictures of kinds "
                                        "that are not read (.bmp, .webp) left out, first"));
  }
  picture("in/c.png");
  Recorder progress;
  const PredictSummary summary = predict_files(segmenter, inputs, options, &progress);
  EXPECT_THAT(summary.left_out, ElementsAre(path("in/a.bmp"), path("in/b.webp")));
  EXPECT_THAT(progress.lines, ElementsAre(HasSubstr("PNG, JPEG and TIFF are read")));
  EXPECT_EQ(summary.files.size(), 1u);
}

TEST_F(PredictFiles, StopsWhenAsked) {
  picture("in/a.png");
  const std::vector<std::string> inputs{text("in")};
  Recorder progress;
  progress.stop = true;
  EXPECT_THROW(
      predict_files(make_segmenter(tiny_model("unet")), inputs, {.out = path("out")}, &progress),
      Interrupted);
}

TEST_F(PredictFiles, SourceValues) {
  picture("in/a.png");
  const std::vector<std::string> inputs{text("in")};
  const LabelMap labels = make_segmenter(tiny_model("unet")).segment(noise_picture(6, 9));
  const auto mask_with = [&](std::vector<std::uint32_t> values, bool colours) {
    Model model = tiny_model("unet");
    model.source_values = std::move(values);
    model.source_values_are_colours = colours;
    predict_files(make_segmenter(std::move(model)), inputs,
                  {.out = path("out"), .source_values = true});
    return read_image(path("out/a.png"));
  };
  const Image grey = mask_with({10, 20, 30}, false);
  EXPECT_EQ(grey.row<std::uint8_t>(5)[8], 10 * (labels(5, 8) + 1));
  const Image deep = mask_with({10, 20, 3000}, false);
  EXPECT_EQ(deep.type(), PixelType::u16);
  EXPECT_EQ(deep.row<std::uint16_t>(5)[8], labels(5, 8) == 2 ? 3000 : 10 * (labels(5, 8) + 1));
  const Image colours = mask_with({0x010203, 0x040506, 0x070809}, true);
  ASSERT_EQ(colours.channels(), 3);
  EXPECT_EQ(colours.row<std::uint8_t>(5)[8 * 3 + 1], 2 + 3 * labels(5, 8));
}

}  // namespace
}  // namespace segmentum
