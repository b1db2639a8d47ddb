#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <vector>

#include "base/file.h"
#include "image/codec.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct RawPng {
  int height, width, bit_depth, colour_type;
  std::vector<std::vector<png_byte>> rows;  // as stored: packed, 16 bits big-endian
  std::vector<png_color> palette;
  std::vector<png_byte> alpha;  // of palette entries
};

std::filesystem::path write_raw(const std::string& name, RawPng raw) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep bytes, std::size_t count) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(bytes), count);
      },
      nullptr);
  png_set_IHDR(png, info, raw.width, raw.height, raw.bit_depth, raw.colour_type, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!raw.palette.empty()) {
    png_set_PLTE(png, info, raw.palette.data(), static_cast<int>(raw.palette.size()));
  }
  if (!raw.alpha.empty()) {
    png_set_tRNS(png, info, raw.alpha.data(), static_cast<int>(raw.alpha.size()), nullptr);
  }
  png_write_info(png, info);
  for (auto& row : raw.rows) png_write_row(png, row.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  const std::filesystem::path path = temporary_file(name);
  write_file(path, file);
  return path;
}

TEST(Png, OneBitIsBlackAndWhiteAsPictureAndZeroOneAsMask) {
  // 1010 0000 01.. : ten pixels
  const auto path =
      write_raw("one_bit.png", {1, 10, 1, PNG_COLOR_TYPE_GRAY, {{0xA0, 0x40}}, {}, {}});
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)),
              ElementsAre(255, 0, 255, 0, 0, 0, 0, 0, 0, 255));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(path).values),
              ElementsAre(1, 0, 1, 0, 0, 0, 0, 0, 0, 1));
}

TEST(Png, TwoAndFourBitsAreScaledOnlyAsPicture) {
  const auto two = write_raw("two_bit.png", {1, 4, 2, PNG_COLOR_TYPE_GRAY, {{0x1B}}, {}, {}});
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(two)), ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(two).values), ElementsAre(0, 1, 2, 3));
  const auto four =
      write_raw("four_bit.png", {1, 3, 4, PNG_COLOR_TYPE_GRAY, {{0x1F, 0x70}}, {}, {}});
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(four)), ElementsAre(17, 255, 119));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(four).values), ElementsAre(1, 15, 7));
}

TEST(Png, PaletteIsColoursAsPictureAndIndicesAsMask) {
  const RawPng raw{1, 3, 8, PNG_COLOR_TYPE_PALETTE, {{2, 0, 1}}, {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}},
                   {}};
  const auto path = write_raw("palette.png", raw);
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)), ElementsAre(7, 8, 9, 1, 2, 3, 4, 5, 6));
  const RawMask mask = read_mask(path);
  EXPECT_THAT(samples_of<std::uint8_t>(mask.values), ElementsAre(2, 0, 1));
  EXPECT_THAT(mask.palette, ElementsAre(Rgb{1, 2, 3}, Rgb{4, 5, 6}, Rgb{7, 8, 9}));
}

TEST(Png, TwoBitPaletteMaskGivesIndices) {
  const RawPng raw{
      1, 4, 2, PNG_COLOR_TYPE_PALETTE, {{0x1B}}, {{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {9, 9, 9}}, {}};
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(write_raw("palette2.png", raw)).values),
              ElementsAre(0, 1, 2, 3));
}

TEST(Png, TransparentPaletteIsRgba) {
  const RawPng raw{1, 2, 8, PNG_COLOR_TYPE_PALETTE, {{1, 0}}, {{1, 2, 3}, {4, 5, 6}}, {128}};
  const auto path = write_raw("transparent.png", raw);
  EXPECT_EQ(image_size(path), (ImageSize{1, 2, 4, PixelType::u8}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)), ElementsAre(4, 5, 6, 255, 1, 2, 3, 128));
  EXPECT_EQ(read_mask(path).values.channels(), 1);
}

TEST(Png, SixteenBitsAreKeptInNativeOrder) {
  const auto path =
      write_raw("sixteen.png", {1, 2, 16, PNG_COLOR_TYPE_GRAY, {{0x01, 0x02, 0xFF, 0xFE}}, {}, {}});
  EXPECT_EQ(image_size(path), (ImageSize{1, 2, 1, PixelType::u16}));
  EXPECT_THAT(samples_of<std::uint16_t>(read_image(path)), ElementsAre(258, 65534));
  EXPECT_THAT(samples_of<std::uint16_t>(read_mask(path).values), ElementsAre(258, 65534));
}

template <typename T>
Image counting_image(int height, int width, int channels, int step) {
  Image image(height, width, channels, sizeof(T) == 1 ? PixelType::u8 : PixelType::u16);
  T* samples = image.row<T>(0);
  for (int i = 0; i < height * width * channels; ++i) samples[i] = static_cast<T>(i * step);
  return image;
}

TEST(Png, AllChannelsAndDepthsComeBackFromFiles) {
  for (int channels = 1; channels <= 4; ++channels) {
    const auto path = temporary_file("round_trip" + std::to_string(channels) + ".png");
    const Image eight = counting_image<std::uint8_t>(5, 7, channels, 3);
    write_png(path, eight);
    EXPECT_EQ(image_size(path), (ImageSize{5, 7, channels, PixelType::u8}));
    EXPECT_EQ(samples_of<std::uint8_t>(read_image(path)), samples_of<std::uint8_t>(eight));
    const Image sixteen = counting_image<std::uint16_t>(5, 7, channels, 499);
    write_png(path, sixteen);
    EXPECT_EQ(image_size(path), (ImageSize{5, 7, channels, PixelType::u16}));
    EXPECT_EQ(samples_of<std::uint16_t>(read_image(path)), samples_of<std::uint16_t>(sixteen));
  }
}

TEST(Png, EncodesViewsWithAStride) {
  const Image image = counting_image<std::uint8_t>(3, 4, 1, 1);
  ImageView left_half = image;
  left_half.width = 2;
  left_half.row_stride_bytes = 4;
  const std::string file = encode_png(left_half);
  const Image back = read_image_memory(std::as_bytes(std::span(file)), "memory");
  EXPECT_THAT(samples_of<std::uint8_t>(back), ElementsAre(0, 1, 4, 5, 8, 9));
}

TEST(Png, RefusesWhatPngCannotHold) {
  EXPECT_THAT(error_of([] { encode_png(Image(1, 1, 5)); }), HasSubstr("1 to 4 channels"));
  EXPECT_THAT(error_of([] { encode_png(Image(1, 1, 1, PixelType::f32)); }), HasSubstr("float"));
}

TEST(Png, EveryTruncationIsAnError) {
  const std::string file = encode_png(counting_image<std::uint8_t>(9, 9, 3, 7));
  for (std::size_t size = 8; size < file.size(); ++size) {
    const auto start = std::as_bytes(std::span(file).first(size));
    EXPECT_THAT(error_of([&] { read_image_memory(start, "cut.png"); }),
                HasSubstr("cut.png: damaged PNG file: "))
        << size;
  }
}

TEST(Png, AHeaderThatPromisesTooMuchIsRefusedBeforeDecoding) {
  std::string file = encode_png(Image(1, 1, 1));
  // A new width and height in the IHDR chunk; its checksum must then be right.
  const auto with_size = [&](unsigned width, unsigned height) {
    std::string changed = file;
    for (int i = 0; i < 4; ++i) {
      changed[16 + i] = static_cast<char>(width >> (24 - 8 * i));
      changed[20 + i] = static_cast<char>(height >> (24 - 8 * i));
    }
    std::uint32_t crc = 0xFFFFFFFFu;
    for (int i = 12; i < 29; ++i) {
      crc ^= static_cast<unsigned char>(changed[i]);
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xEDB88320u : 0);
    }
    for (int i = 0; i < 4; ++i) changed[29 + i] = static_cast<char>(~crc >> (24 - 8 * i));
    return error_of([&] { read_image_memory(std::as_bytes(std::span(changed)), "big.png"); });
  };
  EXPECT_THAT(with_size(2000000000, 2000000000), HasSubstr("over the limit of 2147483648 pixels"));
  EXPECT_THAT(with_size(40000, 40000), HasSubstr("cannot hold 40000x40000 pixels"));
  EXPECT_EQ(with_size(1, 1), "");
}

}  // namespace
}  // namespace segmentum
