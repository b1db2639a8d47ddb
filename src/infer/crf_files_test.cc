#include "infer/crf_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/file.h"
#include "image/codec.h"
#include "infer/kept_files.h"
#include "infer/npy.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kHeight = 12, kWidth = 16, kEdge = 8;

class CrfFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "crf_files" / test->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  fs::path path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return path(name).string(); }

  /// Dark on the left, bright on the right.
  void picture(const std::string& name) const {
    Image image(kHeight, kWidth, 3);
    for (int y = 0; y < kHeight; ++y) {
      for (int i = 3 * kEdge; i < 3 * kWidth; ++i) image.row<std::uint8_t>(y)[i] = 200;
    }
    write_png(path(name), image);
  }
  /// Value 7 to the left of `border`, 11 from there on.
  void labels(const std::string& name, int border) const {
    Image image(kHeight, kWidth, 1);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) image.row<std::uint8_t>(y)[x] = x < border ? 7 : 11;
    }
    write_png(path(name), image);
  }
  std::vector<CrfFile> pairs(const std::string& pictures, const std::string& inputs,
                             const std::string& out, const CrfFilesOptions& options = {}) const {
    return pair_crf_files(text(pictures), text(inputs), path(out), options);
  }
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

TEST_F(CrfFiles, LabelsMoveToTheEdgeOfThePicture) {
  picture("a.png");
  labels("labels.png", kEdge + 2);
  const CrfFilesOptions options{.overlay = true, .probabilities = true};
  const auto files = pairs("a.png", "labels.png", "out/refined.png", options);
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].stem, path("out/refined"));
  EXPECT_EQ(run_crf_files(files, options).written, 1);
  const RawMask mask = read_mask(path("out/refined.png"));
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      EXPECT_EQ(mask.values.row<std::uint8_t>(y)[x], x < kEdge ? 7 : 11) << y << ", " << x;
    }
  }
  EXPECT_EQ(read_npy(path("out/refined.npy")).shape, Shape({2, kHeight, kWidth}));
  EXPECT_EQ(read_image(path("out/refined.overlay.png")).width(), kWidth);
}

TEST_F(CrfFiles, FoldersArePairedByName) {
  for (const char* name : {"in/a.png", "in/deep/b.png", "in/c.png"}) picture(name);
  labels("labels/a.png", kEdge);
  labels("labels/deep/b.png", kEdge);
  const std::vector<float> numbers(2 * kHeight * kWidth, 0.5f);
  write_npy(path("labels/a.npy"), {2, kHeight, kWidth}, numbers);
  const auto files = pairs("in", "labels", "out");
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].input, path("labels/a.npy"));
  EXPECT_EQ(files[1].input, fs::path());
  EXPECT_EQ(files[2].input, path("labels/deep/b.png"));
  EXPECT_EQ(files[2].stem, path("out/deep/b"));
}

TEST_F(CrfFiles, ABadPairIsReportedAndSkipped) {
  for (const char* name : {"in/a.png", "in/b.png", "in/c.png", "in/d.png"}) picture(name);
  labels("labels/a.png", kEdge);
  write_file(path("labels/b.png"), "no picture");
  std::vector<float> numbers(2 * kHeight * kWidth, 0.5f);
  numbers[3] = 0.9f;
  write_npy(path("labels/d.npy"), {2, kHeight, kWidth}, numbers);
  const CrfFilesSummary summary = run_crf_files(pairs("in", "labels", "out"), {});
  EXPECT_EQ(summary.written, 1);
  EXPECT_THAT(
      summary.failures,
      ElementsAre(HasSubstr("labels/b.png: "),
                  AllOf(HasSubstr("in/c.png: "), HasSubstr("has no labels or probabilities")),
                  HasSubstr("labels/d.npy: the probabilities at pixel (0, 3) sum to 1.4")));
  EXPECT_TRUE(fs::exists(path("out/a.png")));
  EXPECT_FALSE(fs::exists(path("out/b.png")));
}

TEST_F(CrfFiles, InputsAreNeverReplaced) {
  picture("in/a.png");
  labels("labels/a.png", kEdge);
  const auto says = [&](const std::string& pictures, const std::string& inputs,
                        const std::string& out) {
    return complaint([&] { pairs(pictures, inputs, out); });
  };
  EXPECT_THAT(says("in", "labels", "labels"), HasSubstr("would be replaced by a result"));
  EXPECT_THAT(says("in/a.png", "labels/a.png", "labels/a.png"), HasSubstr("would be replaced"));
  EXPECT_THAT(says("in/a.png", "labels/a.png", "in"), HasSubstr("would be replaced"));
  EXPECT_THAT(says("in", "labels/a.png", "out"), HasSubstr("labels/a.png: is no folder"));
  EXPECT_THAT(says("in", "in", "out"), HasSubstr("in folders of their own"));
}

// A name in capitals is a file's as well; another kind of file was once made a folder.
TEST_F(CrfFiles, TheResultOfOnePictureIsAPng) {
  picture("a.png");
  labels("labels.png", kEdge + 2);
  const auto files = pairs("a.png", "labels.png", "out.PNG");
  EXPECT_EQ(files[0].labels, path("out.PNG"));
  EXPECT_EQ(run_crf_files(files, {}).written, 1);
  EXPECT_TRUE(fs::is_regular_file(path("out.PNG")));
  for (const char* name : {"o.jpg", "o.TIF", "o.npy", "o.bmp"}) {
    EXPECT_THAT(complaint([&] { pairs("a.png", "labels.png", name); }),
                HasSubstr("is no PNG file's name; labels are written as PNG"));
    EXPECT_FALSE(fs::exists(path(name)));
  }
  EXPECT_EQ(pairs("a.png", "labels.png", "v1.2")[0].labels, path("v1.2/a.png"));
  fs::create_directories(path("folder.jpg"));
  EXPECT_EQ(pairs("a.png", "labels.png", "folder.jpg")[0].labels, path("folder.jpg/a.png"));
  picture("in/a.png");
  labels("labels/a.png", kEdge);
  EXPECT_THAT(complaint([&] { pairs("in", "labels", "o.png"); }),
              HasSubstr("is a file's name, but "));
}

TEST_F(CrfFiles, ResultsAreKeptApart) {
  write_file(path("in"), "given");
  fs::create_symlink(path("in"), path("link"));
  const auto says = [&](const std::vector<fs::path>& results) {
    const std::vector<fs::path> inputs{path("in"), ""};
    return complaint([&] { require_inputs_kept(inputs, results); });
  };
  EXPECT_EQ(says({path("a"), path("b"), "", ""}), "none");
  EXPECT_EQ(says({path("a"), path("in")}),
            text("in") + ": would be replaced by a result; choose another place for the results");
  EXPECT_THAT(says({path("link")}), HasSubstr("link: would be replaced"));
  EXPECT_THAT(says({path("x/../in")}), HasSubstr("would be replaced"));
  EXPECT_THAT(says({path("a"), path("./a")}), HasSubstr("would hold two results"));
  EXPECT_EQ(says({"/dev/null", "/dev/null"}), "none");
}

TEST_F(CrfFiles, AnErrorNamesTheFileAtFault) {
  picture("a.png");
  std::vector<float> numbers(2 * kHeight * kWidth, 0.5f);
  numbers[3] = NAN;
  write_npy(path("p.npy"), {2, kHeight, kWidth}, numbers);
  EXPECT_THAT(run_crf_files(pairs("a.png", "p.npy", "o.png"), {}).failures,
              ElementsAre(StartsWith(text("p.npy") + ": the probability of label 0")));
  labels("labels.png", kEdge);
  const CrfFilesOptions doubtful{.trust = {.confidence = 0.5f}};
  EXPECT_THAT(run_crf_files(pairs("a.png", "labels.png", "o.png"), doubtful).failures,
              ElementsAre(StartsWith(text("labels.png") + ": a confidence of 0.5 in labels")));
  const CrfFilesOptions narrow{.settings = {.spatial_sigma_px = 1e-9f}};
  EXPECT_THAT(run_crf_files(pairs("a.png", "labels.png", "o.png"), narrow).failures,
              ElementsAre(StartsWith(text("a.png") + ": a pixel's position or colour")));
}

class StopsAtOnce : public ProgressSink {
 public:
  void begin(const std::string&, std::int64_t, const std::string&) override {}
  void update(std::int64_t, const std::string&) override {}
  void end() override {}
  void message(const std::string&) override {}
  bool stop_requested() override { return ++asked_ > 1; }

 private:
  int asked_ = 0;
};

// Within the steps of the first picture.
TEST_F(CrfFiles, StopsWithinAPicture) {
  picture("a.png");
  labels("labels.png", kEdge);
  StopsAtOnce progress;
  EXPECT_THROW(run_crf_files(pairs("a.png", "labels.png", "o.png"), {}, &progress), Interrupted);
  EXPECT_FALSE(fs::exists(path("o.png")));
}

TEST_F(CrfFiles, UnlabelledPixelsAreFilledWhereAsked) {
  picture("a.png");
  Image scribbles(kHeight, kWidth, 1);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      scribbles.row<std::uint8_t>(y)[x] = x == 2 ? 1 : x == kWidth - 3 ? 4 : 255;
    }
  }
  write_png(path("scribbles.png"), scribbles);
  const auto result = [&](bool fill) {
    const CrfFilesOptions options{.trust = {.confidence = 0.9f, .fill_ignored = fill}};
    run_crf_files(pairs("a.png", "scribbles.png", "out.png", options), options);
    return read_mask(path("out.png"));
  };
  const RawMask kept = result(false);
  EXPECT_EQ(kept.values.row<std::uint8_t>(5)[2], 1);
  EXPECT_EQ(kept.values.row<std::uint8_t>(5)[7], 255);
  const RawMask filled = result(true);
  for (int x = 0; x < kWidth; ++x) {
    EXPECT_EQ(filled.values.row<std::uint8_t>(5)[x], x < kEdge ? 1 : 4) << x;
  }
}

}  // namespace
}  // namespace segmentum
