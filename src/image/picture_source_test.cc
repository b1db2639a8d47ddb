#include "image/picture_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/random.h"
#include "image/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Image noise(int height, int width, int channels, PixelType type = PixelType::u8) {
  Image image(height, width, channels, type);
  RandomStream random(3, 0, 0);
  auto* byte = image.row<std::uint8_t>(0);
  for (std::size_t i = 0; i < image.row_bytes() * height; ++i) {
    byte[i] = static_cast<std::uint8_t>(random.bits());
  }
  return image;
}

/// Smooth, as JPEG wants it.
Image gradient(int height, int width, int channels) {
  Image image(height, width, channels);
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i < width * channels; ++i) {
      image.row<std::uint8_t>(y)[i] =
          static_cast<std::uint8_t>((3 * y + i / channels) % 200 + i % 3);
    }
  }
  return image;
}

/// Rectangles at random places hold what the whole picture holds there.
void expect_parts_of(PictureSource& source, const Image& whole, int count, bool downwards) {
  ASSERT_EQ(source.size(),
            (ImageSize{whole.height(), whole.width(), whole.channels(), whole.type()}));
  RandomStream random(11, 0, 0);
  int last = 0;
  for (int i = 0; i < count; ++i) {
    PixelRect rect;
    rect.height = 1 + static_cast<int>(random.below(static_cast<std::uint32_t>(whole.height())));
    rect.width = 1 + static_cast<int>(random.below(static_cast<std::uint32_t>(whole.width())));
    rect.y = static_cast<int>(
        random.below(static_cast<std::uint32_t>(whole.height() - rect.height + 1)));
    rect.x =
        static_cast<int>(random.below(static_cast<std::uint32_t>(whole.width() - rect.width + 1)));
    if (downwards) {
      rect.y = last = std::max(last, rect.y);
      rect.height = std::min(rect.height, whole.height() - rect.y);
    }
    const Image part = source.read(rect);
    const std::size_t pixel = sample_bytes(whole.type()) * whole.channels();
    for (int y = 0; y < rect.height; ++y) {
      ASSERT_EQ(std::memcmp(part.row<std::byte>(y),
                            whole.row<std::byte>(rect.y + y) + rect.x * pixel, rect.width * pixel),
                0)
          << "row " << rect.y + y;
    }
  }
}

TEST(PictureSource, PngAndJpegByRows) {
  const fs::path png = temporary_file("rows.png"), jpeg = temporary_file("rows.jpg");
  for (const auto& [channels, type] :
       {std::pair(1, PixelType::u8), std::pair(3, PixelType::u8), std::pair(4, PixelType::u16)}) {
    write_png(png, noise(37, 53, channels, type));
    const auto source = open_picture(png);
    EXPECT_TRUE(source->by_rows());
    expect_parts_of(*source, read_image(png), 12, false);
    expect_parts_of(*open_picture(png), read_image(png), 12, true);
  }
  for (const int channels : {1, 3}) {
    write_file(jpeg, encode_jpeg(gradient(65, 130, channels), 80));
    expect_parts_of(*open_picture(jpeg), read_image(jpeg), 12, false);
  }
}

TEST(PictureSource, OnlyTheRowsOfARectangleAreHeld) {
  const fs::path png = temporary_file("held.png");
  write_png(png, noise(100, 20, 3));
  const auto source = open_picture(png);
  EXPECT_EQ(source->held_bytes(10), 10u * 20 * 3);
}

TEST(PictureSource, MistakesAreNamed) {
  const fs::path png = temporary_file("mistakes.png");
  write_png(png, noise(30, 40, 3));
  const auto source = open_picture(png);
  EXPECT_THAT(
      error_of([&] {
        source->read({0, 30, 5, 11});
      }),
      HasSubstr("mistakes.png: 11x5 pixels from row 0, column 30 were asked for, but it has "
                "40x30"));
  EXPECT_NE(error_of([&] { source->read({-1, 0, 5, 5}); }), "");
  const std::string file = read_file(png);
  write_file(png, file.substr(0, file.size() / 2));
  const auto cut = open_picture(png);
  EXPECT_THAT(error_of([&] { cut->read({0, 0, 30, 40}); }), HasSubstr("damaged PNG file"));
  EXPECT_THAT(error_of([&] { open_mask(png); }), HasSubstr("is no TIFF file"));
  EXPECT_THAT(error_of([] { open_picture("/nowhere.png"); }), HasSubstr("/nowhere.png"));
}

/// A TIFF file of 8-bit samples in tiles or strips, in which a tag may turn the picture.
void write_tiff(const fs::path& path, const Image& image, int tile, int rows_per_strip,
                std::uint16_t orientation = ORIENTATION_TOPLEFT) {
  TIFF* tiff = TIFFOpen(path.c_str(), "w8");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, image.width());
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, image.height());
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, image.channels());
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               image.channels() == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, orientation);
  const int pixel = image.channels();
  if (tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, tile);
    std::vector<std::uint8_t> block(static_cast<std::size_t>(tile) * tile * pixel);
    for (int y = 0; y < image.height(); y += tile) {
      for (int x = 0; x < image.width(); x += tile) {
        for (int row = 0; row < std::min(tile, image.height() - y); ++row) {
          std::memcpy(block.data() + row * tile * pixel,
                      image.row<std::uint8_t>(y + row) + x * pixel,
                      std::min(tile, image.width() - x) * pixel);
        }
        TIFFWriteTile(tiff, block.data(), x, y, 0, 0);
      }
    }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows_per_strip);
    for (int y = 0; y < image.height(); ++y) {
      TIFFWriteScanline(tiff, const_cast<std::uint8_t*>(image.row<std::uint8_t>(y)), y, 0);
    }
  }
  TIFFClose(tiff);
}

TEST(PictureSource, TilesAndStripsInAnyOrder) {
  const fs::path path = temporary_file("blocks.tif");
  const Image image = noise(131, 97, 3);
  // Two blocks fit the cache, or four: nearly all are read again and again.
  for (const std::size_t cache : {std::size_t{2} * 16 * 97 * 3, std::size_t{1} << 20}) {
    for (const std::uint16_t orientation : {1, 2, 3, 4, 5, 6, 7, 8}) {
      write_tiff(path, image, 32, 0, orientation);
      expect_parts_of(*open_picture(path, {.cache_bytes = cache}), read_image(path), 12, false);
      write_tiff(path, image, 0, 16, orientation);
      expect_parts_of(*open_picture(path, {.cache_bytes = cache}), read_image(path), 12, false);
    }
  }
}

TEST(PictureSource, OneLongStripIsReadByRows) {
  const fs::path path = temporary_file("strip.tif");
  write_tiff(path, noise(131, 97, 3), 0, 131);
  const auto source = open_picture(path, {.cache_bytes = 1000});
  EXPECT_TRUE(source->by_rows());
  expect_parts_of(*source, read_image(path), 12, false);
  EXPECT_THAT(error_of([&] { open_picture(path, {.cache_bytes = 1000, .whole_bytes = 200}); }),
              HasSubstr("one row of it takes 0 MB; a tiled TIFF"));
  // Turned, it can only be decoded whole.
  write_tiff(path, noise(131, 97, 3), 0, 131, ORIENTATION_RIGHTTOP);
  EXPECT_FALSE(open_picture(path, {.cache_bytes = 1000})->by_rows());
  EXPECT_THAT(error_of([&] { open_picture(path, {.cache_bytes = 1000, .whole_bytes = 1000}); }),
              HasSubstr("can only be decoded whole, and would take 0 MB; a tiled TIFF would work"));
}

/// Every file of the public collections that can be read is the same in parts.
TEST(PictureSource, OddFilesInParts) {
  const char* given = std::getenv("SEGMENTUM_DATA");
  const fs::path folder =
      (given ? fs::path(given) : fs::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "data") /
      "robustness";
  if (!fs::is_directory(folder)) GTEST_SKIP() << folder << " is absent";
  int compared = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || !is_image_file(entry.path())) continue;
    Image whole;
    if (!error_of([&] { whole = read_image(entry.path(), {.max_bytes = 1 << 26}); }).empty()) {
      continue;
    }
    SCOPED_TRACE(entry.path().string());
    // With this cache large strips go by rows.
    const auto source = open_picture(entry.path(), {.cache_bytes = 1 << 16});
    expect_parts_of(*source, whole, 2, true);
    if (HasFatalFailure()) return;
    ++compared;
  }
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace segmentum
