#include "image/label_tiff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include "base/file.h"
#include "base/random.h"
#include "image/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kTile = LabelTiffWriter::kTile;

class LabelTiff : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = temporary_file(std::string(test->name()) + ".tif");
    for (const char* ending : {"", ".part", ".part.journal"}) fs::remove(ending_of(ending));
  }
  fs::path ending_of(const char* ending) const { return fs::path(path_) += ending; }

  static LabelTiffForm form(int height, int width) {
    LabelTiffForm form{.height = height, .width = width};
    form.palette.resize(256);
    form.palette[1] = {10, 20, 30};
    form.description = "what it is";
    return form;
  }

  fs::path path_;
};

Image random_labels(int height, int width, PixelType type = PixelType::u8) {
  Image image(height, width, 1, type);
  RandomStream random(3, 0, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (type == PixelType::u8) image.row<std::uint8_t>(y)[x] = random.below(3) == 0 ? 2 : 1;
      if (type == PixelType::u16)
        image.row<std::uint16_t>(y)[x] = static_cast<std::uint16_t>(random.bits());
    }
  }
  return image;
}

Image part_of(const Image& image, int y, int x, int height, int width) {
  Image part(std::min(height, image.height() - y), std::min(width, image.width() - x), 1,
             image.type());
  const std::size_t sample = sample_bytes(image.type());
  for (int row = 0; row < part.height(); ++row) {
    std::copy_n(image.row<std::byte>(y + row) + sample * x, part.row_bytes(),
                part.row<std::byte>(row));
  }
  return part;
}

/// Regions of 512x256 pixels, the first `count` of them that are missing.
void write_regions(LabelTiffWriter& writer, const Image& image, int count) {
  for (int y = 0; y < image.height(); y += 2 * kTile) {
    for (int x = 0; x < image.width(); x += kTile) {
      if (writer.has(y, x)) continue;
      if (count-- == 0) return;
      writer.write(y, x, part_of(image, y, x, 2 * kTile, kTile));
    }
  }
}

TEST_F(LabelTiff, HoldsTheLabelsInAnyOrderAndOfBothTypes) {
  for (const PixelType type : {PixelType::u8, PixelType::u16}) {
    const Image image = random_labels(700, 530, type);
    fs::remove(path_);
    LabelTiffForm wanted = form(700, 530);
    wanted.type = type;
    if (type == PixelType::u16) wanted.palette.clear();
    LabelTiffWriter writer(path_, wanted, "test", false);
    for (const int y : {512, 0}) {
      for (const int x : {256, 512, 0}) writer.write(y, x, part_of(image, y, x, 512, 256));
    }
    EXPECT_FALSE(fs::exists(path_));
    writer.finish();
    EXPECT_FALSE(fs::exists(ending_of(".part")));
    EXPECT_FALSE(fs::exists(ending_of(".part.journal")));
    const RawMask mask = read_mask(path_);
    EXPECT_EQ(mask.values.type(), type);
    ASSERT_EQ(mask.values.height(), 700);
    ASSERT_EQ(mask.values.width(), 530);
    EXPECT_TRUE(
        std::equal(image.data(), image.data() + 700 * image.row_bytes(), mask.values.data()));
    if (type == PixelType::u8) {
      EXPECT_EQ(mask.palette.at(1), (Rgb{10, 20, 30}));
    }
    EXPECT_EQ(tiff_description(path_), "what it is");
  }
}

/// libtiff finds a BigTIFF file of tiles, and pages of half the size each.
TEST_F(LabelTiff, HasAPyramidOfTheMostFrequent) {
  Image image(1025, 600, 1);
  for (int y = 0; y < 1025; ++y) {
    for (int x = 0; x < 600; ++x) {
      // Each 2x2 pixels: 7 5 / 5 9, so 5 is the most frequent; and one place where two are equal.
      image.row<std::uint8_t>(y)[x] = y % 2 == x % 2 ? (y % 2 == 0 ? 7 : 9) : 5;
    }
  }
  image.row<std::uint8_t>(0)[0] = 3;
  image.row<std::uint8_t>(1)[1] = 3;
  LabelTiffWriter writer(path_, form(1025, 600), "test", false);
  write_regions(writer, image, -1);
  writer.finish();
  TIFF* tiff = TIFFOpen(path_.c_str(), "r");
  ASSERT_NE(tiff, nullptr);
  EXPECT_NE(TIFFIsBigTIFF(tiff), 0);
  EXPECT_NE(TIFFIsTiled(tiff), 0);
  const std::vector<std::pair<int, int>> sizes{{600, 1025}, {300, 513}, {150, 257}, {75, 129}};
  ASSERT_EQ(TIFFNumberOfDirectories(tiff), sizes.size());
  std::vector<std::uint8_t> tile(kTile * kTile);
  for (std::size_t level = 0; level < sizes.size(); ++level) {
    TIFFSetDirectory(tiff, static_cast<tdir_t>(level));
    std::uint32_t width = 0, height = 0, kind = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
    EXPECT_EQ(std::pair(static_cast<int>(width), static_cast<int>(height)), sizes[level]);
    EXPECT_EQ(kind, level == 0 ? 0u : FILETYPE_REDUCEDIMAGE);
    for (std::uint32_t y = 0; y < height; y += kTile) {
      for (std::uint32_t x = 0; x < width; x += kTile) {
        ASSERT_EQ(TIFFReadTile(tiff, tile.data(), x, y, 0, 0), kTile * kTile);
        if (level != 1 || y + kTile > 512) continue;  // the last row has no other below it
        for (std::uint32_t i = 0; i < std::min<std::uint32_t>(kTile, width - x); ++i) {
          ASSERT_EQ(tile[i], x + y + i == 0 ? 3 : 5) << x + i << "," << y;
        }
      }
    }
  }
  TIFFClose(tiff);
}

TEST_F(LabelTiff, GoesOnAfterAnyEnd) {
  const Image image = random_labels(1100, 700);
  for (const int done : {0, 1, 4, 9}) {
    {
      LabelTiffWriter writer(path_, form(1100, 700), "this run", false);
      write_regions(writer, image, done);
    }
    EXPECT_EQ(LabelTiffWriter::unfinished(path_), "this run");
    // Half a line, and tiles that no line names: what a kill leaves.
    const std::string journal = read_file(ending_of(".part.journal"));
    write_file(ending_of(".part.journal"), journal + "512 256 2 1 99:1");
    write_file(ending_of(".part"), read_file(ending_of(".part")) + "garbage");
    LabelTiffWriter writer(path_, form(1100, 700), "this run", true);
    EXPECT_EQ(writer.has(0, 0), done > 0);
    EXPECT_EQ(writer.has(1024, 512), done == 9);
    write_regions(writer, image, -1);
    writer.finish();
    const RawMask mask = read_mask(path_);
    EXPECT_TRUE(std::equal(image.data(), image.data() + 1100 * 700, mask.values.data()));
    EXPECT_EQ(LabelTiffWriter::unfinished(path_), std::nullopt);
  }
}

TEST_F(LabelTiff, MistakesAreNamed) {
  {
    LabelTiffWriter writer(path_, form(300, 300), "one run", false);
    EXPECT_THAT(error_of([&] { writer.finish(); }), HasSubstr("was never written"));
  }
  EXPECT_THAT(error_of([&] { LabelTiffWriter(path_, form(300, 300), "another run", true); }),
              HasSubstr(".part.journal: does not belong to this run"));
  write_file(path_, "no folder");
  EXPECT_THAT(error_of([&] { LabelTiffWriter(path_ / "below" / "a.tif", form(1, 1), "x", false); }),
              HasSubstr("cannot open"));
}

/// A line whose numbers are no places of this file, though its checksum is right.
TEST_F(LabelTiff, AJournalOfAnotherSizeIsRefused) {
  {
    LabelTiffWriter writer(path_, form(600, 600), "run", false);
    write_regions(writer, random_labels(600, 600), 3);
  }
  EXPECT_THAT(error_of([&] { LabelTiffWriter(path_, form(200, 200), "run", true); }),
              HasSubstr("is damaged; delete it to begin anew"));
}

/// The part lost its end: what the journal names is not there.
TEST_F(LabelTiff, APartThatIsCutIsRefused) {
  {
    LabelTiffWriter writer(path_, form(600, 600), "run", false);
    write_regions(writer, random_labels(600, 600), 3);
  }
  const std::string part = read_file(ending_of(".part"));
  write_file(ending_of(".part"), part.substr(0, part.size() / 2));
  EXPECT_THAT(error_of([&] { LabelTiffWriter(path_, form(600, 600), "run", true); }),
              HasSubstr(".part.journal: is damaged; delete it to begin anew"));
}

TEST_F(LabelTiff, CarriesTagsOver) {
  const double scale[3] = {0.5, 0.5, 0};
  TiffTag tag{33550, 12, 3, std::string(reinterpret_cast<const char*>(scale), sizeof scale)};
  TiffTag keys{34735, 3, 4, std::string("\1\0\1\0\0\0\0\0", 8)};
  TiffTag text{34737, 2, 7, std::string("WGS 84\0", 7)};
  LabelTiffForm wanted = form(10, 10);
  wanted.tags = {text, tag, keys};
  LabelTiffWriter writer(path_, wanted, "run", false);
  writer.write(0, 0, Image(10, 10, 1));
  writer.finish();
  EXPECT_THAT(open_mask(path_)->geo_tags(), testing::ElementsAre(tag, keys, text));
}

}  // namespace
}  // namespace segmentum
