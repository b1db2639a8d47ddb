#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <functional>

#include "base/file.h"
#include "image/codec.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct TiffFields {
  std::uint32_t height = 1, width = 1;
  int samples = 1, bits = 8, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK;
  int planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE, orientation = 1, tile = 0;
};

std::filesystem::path write_tiff(const std::string& name, const TiffFields& fields,
                                 const std::function<void(TIFF*)>& write, const char* mode = "w") {
  const std::filesystem::path path = temporary_file(name);
  TIFF* tiff = TIFFOpen(path.c_str(), mode);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, fields.height);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, fields.width);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, fields.samples);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, fields.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, fields.format);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, fields.photometric);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, fields.planar);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, fields.compression);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, fields.orientation);
  if (fields.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, fields.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, fields.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 2);
  }
  write(tiff);
  TIFFClose(tiff);
  return path;
}

template <typename T>
std::function<void(TIFF*)> rows(std::vector<std::vector<T>> content) {
  return [content](TIFF* tiff) mutable {
    for (std::size_t y = 0; y < content.size(); ++y) {
      TIFFWriteScanline(tiff, content[y].data(), static_cast<std::uint32_t>(y), 0);
    }
  };
}

TEST(Tiff, StripsOfRgb) {
  const auto path = write_tiff(
      "rgb.tif",
      {.height = 3,
       .width = 2,
       .samples = 3,
       .photometric = PHOTOMETRIC_RGB,
       .compression = COMPRESSION_LZW},
      rows<std::uint8_t>({{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, {13, 14, 15, 16, 17, 18}}));
  EXPECT_EQ(image_size(path), (ImageSize{3, 2, 3, PixelType::u8}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18));
}

TEST(Tiff, BigEndianSixteenBits) {
  const auto path = write_tiff("big.tif", {.height = 1, .width = 3, .bits = 16},
                               rows<std::uint16_t>({{1, 258, 65535}}), "wb");
  EXPECT_THAT(samples_of<std::uint16_t>(read_image(path)), ElementsAre(1, 258, 65535));
}

TEST(Tiff, TilesThatDoNotDivideThePicture) {
  constexpr int kHeight = 20, kWidth = 37;
  const auto value = [](int y, int x) { return static_cast<float>(y * 100 + x) + 0.5f; };
  const auto path = write_tiff("tiles.tif",
                               {.height = kHeight,
                                .width = kWidth,
                                .bits = 32,
                                .format = SAMPLEFORMAT_IEEEFP,
                                .compression = COMPRESSION_ADOBE_DEFLATE,
                                .tile = 16},
                               [&](TIFF* tiff) {
                                 for (int y = 0; y < kHeight; y += 16) {
                                   for (int x = 0; x < kWidth; x += 16) {
                                     float tile[256];
                                     for (int i = 0; i < 256; ++i)
                                       tile[i] = value(y + i / 16, x + i % 16);
                                     TIFFWriteTile(tiff, tile, x, y, 0, 0);
                                   }
                                 }
                               });
  const Image image = read_image(path);
  ASSERT_EQ(image.type(), PixelType::f32);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) ASSERT_EQ(image.row<float>(y)[x], value(y, x));
  }
}

TEST(Tiff, PlanesAreInterleaved) {
  const auto path = write_tiff(
      "planes.tif",
      {.height = 1, .width = 2, .samples = 5, .bits = 16, .planar = PLANARCONFIG_SEPARATE},
      [](TIFF* tiff) {
        for (std::uint16_t plane = 0; plane < 5; ++plane) {
          std::uint16_t row[2] = {static_cast<std::uint16_t>(10 * plane),
                                  static_cast<std::uint16_t>(10 * plane + 1)};
          TIFFWriteScanline(tiff, row, 0, plane);
        }
      });
  EXPECT_EQ(image_size(path), (ImageSize{1, 2, 5, PixelType::u16}));
  EXPECT_THAT(samples_of<std::uint16_t>(read_image(path)),
              ElementsAre(0, 10, 20, 30, 40, 1, 11, 21, 31, 41));
}

TEST(Tiff, PaletteIsColoursAsPictureAndIndicesAsMask) {
  const auto path = write_tiff(
      "palette.tif", {.height = 1, .width = 3, .bits = 4, .photometric = PHOTOMETRIC_PALETTE},
      [](TIFF* tiff) {
        std::uint16_t r[16] = {0, 0x1100}, g[16] = {0, 0x2200}, b[16] = {0, 0x3300, 0xFFFF};
        TIFFSetField(tiff, TIFFTAG_COLORMAP, r, g, b);
        std::uint8_t row[2] = {0x12, 0x00};
        TIFFWriteScanline(tiff, row, 0, 0);
      });
  EXPECT_EQ(image_size(path), (ImageSize{1, 3, 3, PixelType::u8}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)),
              ElementsAre(0x11, 0x22, 0x33, 0, 0, 0xFF, 0, 0, 0));
  const RawMask mask = read_mask(path);
  EXPECT_THAT(samples_of<std::uint8_t>(mask.values), ElementsAre(1, 2, 0));
  ASSERT_EQ(mask.palette.size(), 16u);
  EXPECT_EQ(mask.palette[1], (Rgb{0x11, 0x22, 0x33}));
}

TEST(Tiff, BitsAndWhiteIsZero) {
  TiffFields fields{.height = 1, .width = 10, .bits = 1};
  const auto black = write_tiff("bits.tif", fields, rows<std::uint8_t>({{0xA0, 0x40}}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(black)),
              ElementsAre(255, 0, 255, 0, 0, 0, 0, 0, 0, 255));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(black).values),
              ElementsAre(1, 0, 1, 0, 0, 0, 0, 0, 0, 1));
  fields.photometric = PHOTOMETRIC_MINISWHITE;
  const auto white = write_tiff("white.tif", fields, rows<std::uint8_t>({{0xA0, 0x40}}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(white).values),
              ElementsAre(0, 1, 0, 1, 1, 1, 1, 1, 1, 0));
}

TEST(Tiff, TwelveBitsAreScaledOnlyAsPicture) {
  // 0xFFF, 0x001, packed
  const auto path = write_tiff("twelve.tif", {.height = 1, .width = 2, .bits = 12},
                               rows<std::uint8_t>({{0xFF, 0xF0, 0x01}}));
  EXPECT_THAT(samples_of<std::uint16_t>(read_image(path)), ElementsAre(65535, 16));
  EXPECT_THAT(samples_of<std::uint16_t>(read_mask(path).values), ElementsAre(4095, 1));
}

TEST(Tiff, WideIntegersAreFloatsAsPictureAndNarrowAsMask) {
  TiffFields fields{.height = 1, .width = 2, .bits = 32, .format = SAMPLEFORMAT_INT};
  const auto fitting = write_tiff("wide.tif", fields, rows<std::int32_t>({{7, 65535}}));
  EXPECT_THAT(samples_of<float>(read_image(fitting)), ElementsAre(7.0f, 65535.0f));
  EXPECT_THAT(samples_of<std::uint16_t>(read_mask(fitting).values), ElementsAre(7, 65535));
  const auto negative = write_tiff("negative.tif", fields, rows<std::int32_t>({{-1, 3}}));
  EXPECT_THAT(samples_of<float>(read_mask(negative).values), ElementsAre(-1.0f, 3.0f));
}

TEST(Tiff, HalfFloatsAndDoubles) {
  TiffFields fields{.height = 1, .width = 4, .bits = 16, .format = SAMPLEFORMAT_IEEEFP};
  // 1, -2, the least subnormal, 65504
  const auto half =
      write_tiff("half.tif", fields, rows<std::uint16_t>({{0x3C00, 0xC000, 0x0001, 0x7BFF}}));
  EXPECT_THAT(samples_of<float>(read_image(half)), ElementsAre(1.0f, -2.0f, 0x1p-24f, 65504.0f));
  fields.bits = 64;
  const auto wide = write_tiff("double.tif", fields, rows<double>({{0.5, -1e10, 0, 3}}));
  EXPECT_THAT(samples_of<float>(read_image(wide)), ElementsAre(0.5f, -1e10f, 0.0f, 3.0f));
}

TEST(Tiff, OrientationIsApplied) {
  // Stored: 1 2 3 / 4 5 6. Orientation 6: to be turned clockwise.
  const auto path = write_tiff("turned.tif", {.height = 2, .width = 3, .orientation = 6},
                               rows<std::uint8_t>({{1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(image_size(path), (ImageSize{3, 2, 1, PixelType::u8}));
  EXPECT_EQ(stored_form(path).format, FileFormat::tiff);
  EXPECT_EQ(stored_form(path).orientation, 6);
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)), ElementsAre(4, 1, 5, 2, 6, 3));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(path).values), ElementsAre(4, 1, 5, 2, 6, 3));
}

TEST(Tiff, CmykBecomesRgb) {
  for (const int orientation : {1, 3}) {
    const auto path = write_tiff("cmyk.tif",
                                 {.height = 1,
                                  .width = 2,
                                  .samples = 4,
                                  .photometric = PHOTOMETRIC_SEPARATED,
                                  .orientation = orientation},
                                 rows<std::uint8_t>({{255, 0, 0, 0, 0, 0, 0, 255}}));
    EXPECT_EQ(image_size(path), (ImageSize{1, 2, 3, PixelType::u8}));
    const std::vector<std::uint8_t> upright = {0, 255, 255, 0, 0, 0};
    const std::vector<std::uint8_t> turned = {0, 0, 0, 0, 255, 255};
    EXPECT_EQ(samples_of<std::uint8_t>(read_image(path)), orientation == 1 ? upright : turned);
  }
}

void write_page(TIFF* tiff, std::vector<std::uint8_t> row, std::uint32_t kind) {
  TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, kind);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(row.size()));
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFWriteScanline(tiff, row.data(), 0, 0);
  TIFFWriteDirectory(tiff);
}

TEST(Tiff, TheFirstPageIsReadUnlessAnotherIsAskedFor) {
  const auto path = write_tiff("pages.tif", {.height = 1, .width = 2}, [](TIFF* tiff) {
    write_page(tiff, {1, 2}, 0);
    write_page(tiff, {9}, FILETYPE_REDUCEDIMAGE);  // an overview of the first one
    write_page(tiff, {7, 8, 9}, FILETYPE_PAGE);
  });
  EXPECT_EQ(page_count(path), 2);
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)), ElementsAre(1, 2));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path, {.page = 1})), ElementsAre(7, 8, 9));
  EXPECT_THAT(error_of([&] { read_image(path, {.page = 2}); }),
              HasSubstr("its page 3 cannot be read"));
  const auto other = temporary_file("one.png");
  write_png(other, Image(1, 1, 1));
  EXPECT_EQ(page_count(other), 1);
}

TEST(Tiff, TruncatedAndAbsurdFilesAreErrors) {
  const auto path = write_tiff("whole.tif", {.height = 64, .width = 64}, [](TIFF* tiff) {
    std::vector<std::uint8_t> row(64, 7);
    for (std::uint32_t y = 0; y < 64; ++y) TIFFWriteScanline(tiff, row.data(), y, 0);
  });
  const std::string file = read_file(path);
  const auto cut = temporary_file("cut.tif");
  for (const std::size_t size :
       {std::size_t{8}, std::size_t{100}, file.size() / 2, file.size() - 1}) {
    write_file(cut, file.substr(0, size));
    EXPECT_THAT(
        error_of([&] { read_image(cut); }),
        AllOf(HasSubstr("cut.tif: damaged or unsupported TIFF"), Not(HasSubstr("4294967295"))))
        << size;
  }
  const auto absurd = write_tiff("absurd.tif", {.height = 60000, .width = 60000}, [](TIFF* tiff) {
    std::vector<std::uint8_t> row(60000, 7);
    TIFFWriteScanline(tiff, row.data(), 0, 0);
  });
  EXPECT_THAT(error_of([&] { read_image(absurd); }),
              HasSubstr("over the limit of 2147483648 pixels"));
  EXPECT_THAT(error_of([&] { read_image(absurd, {.max_pixels = std::int64_t{1} << 40}); }),
              HasSubstr("cannot hold 60000x60000 pixels"));
}

TEST(Tiff, UnsupportedSamplesAreNamed) {
  const auto path = write_tiff(
      "complex.tif", {.height = 1, .width = 1, .bits = 64, .format = SAMPLEFORMAT_COMPLEXIEEEFP},
      rows<double>({{1}}));
  EXPECT_THAT(error_of([&] { read_image(path); }), HasSubstr("complex samples are not supported"));
}

}  // namespace
}  // namespace segmentum
