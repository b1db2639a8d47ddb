#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include "base/file.h"
#include "image/codec.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

// 16x24: the left half red, the right half blue, so that turns show.
Image red_and_blue() {
  Image image(16, 24, 3);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) image.row<std::uint8_t>(y)[3 * x + (x < 12 ? 0 : 2)] = 255;
  }
  return image;
}

Image decode(const std::string& file) {
  return read_image_memory(std::as_bytes(std::span(file)), "memory.jpg");
}

// An APP1 segment with nothing but the orientation, behind the start marker.
std::string with_orientation(const std::string& jpeg, int orientation, bool big_endian) {
  const std::string value(1, static_cast<char>(orientation));
  const std::string tiff =
      big_endian ? "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s
                 : "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s;
  const std::string body = "Exif\0\0"s + tiff;
  return jpeg.substr(0, 2) + "\xff\xe1\0"s + static_cast<char>(body.size() + 2) + body +
         jpeg.substr(2);
}

TEST(Jpeg, RgbComesBackNearly) {
  const Image back = decode(encode_jpeg(red_and_blue(), 95));
  ASSERT_EQ(back.channels(), 3);
  const auto* row = back.row<std::uint8_t>(8);
  EXPECT_NEAR(row[3 * 4 + 0], 255, 4);  // lossy, but flat away from the edge
  EXPECT_NEAR(row[3 * 4 + 2], 0, 4);
  EXPECT_NEAR(row[3 * 20 + 0], 0, 4);
  EXPECT_NEAR(row[3 * 20 + 2], 255, 4);
}

TEST(Jpeg, GreyKeepsOneChannel) {
  Image grey(8, 8, 1);
  std::fill_n(grey.row<std::uint8_t>(0), 64, std::uint8_t{100});
  const Image back = decode(encode_jpeg(grey, 90));
  ASSERT_EQ(back.channels(), 1);
  EXPECT_THAT(samples_of<std::uint8_t>(back), testing::Each(100));
}

TEST(Jpeg, CmykBecomesRgb) {
  // turbojpeg marks CMYK as Adobe's, where 255 is no ink: this is magenta alone.
  std::vector<std::uint8_t> ink(16 * 16 * 4, 255);
  for (std::size_t i = 1; i < ink.size(); i += 4) ink[i] = 0;
  tjhandle handle = tjInitCompress();
  unsigned char* file = nullptr;
  unsigned long size = 0;
  ASSERT_EQ(tjCompress2(handle, ink.data(), 16, 0, 16, TJPF_CMYK, &file, &size, TJSAMP_444, 95, 0),
            0);
  std::string jpeg(reinterpret_cast<char*>(file), size);
  tjFree(file);
  tjDestroy(handle);
  const Image image = decode(jpeg);
  ASSERT_EQ(image.channels(), 3);
  const auto* pixel = image.row<std::uint8_t>(8);
  EXPECT_NEAR(pixel[0], 255, 3);  // lossy
  EXPECT_NEAR(pixel[1], 0, 3);
  EXPECT_NEAR(pixel[2], 255, 3);
  // Without the marker 255 is full ink, and full black leaves nothing.
  const std::size_t marker = jpeg.find("Adobe");
  ASSERT_NE(marker, std::string::npos);
  jpeg[marker] = 'X';
  EXPECT_NEAR(decode(jpeg).row<std::uint8_t>(8)[0], 0, 3);
}

TEST(Jpeg, ExifOrientationIsApplied) {
  const std::string file = encode_jpeg(red_and_blue(), 95);
  const auto red_at = [](const Image& image, int y, int x) {
    return image.row<std::uint8_t>(y)[3 * x] > 128;
  };
  for (const bool big_endian : {false, true}) {
    const Image mirrored = decode(with_orientation(file, 2, big_endian));
    EXPECT_FALSE(red_at(mirrored, 8, 2));
    EXPECT_TRUE(red_at(mirrored, 8, 21));
    const Image flipped = decode(with_orientation(file, 4, big_endian));
    EXPECT_TRUE(red_at(flipped, 8, 2));
    const Image clockwise = decode(with_orientation(file, 6, big_endian));  // left goes up
    ASSERT_EQ(clockwise.height(), 24);
    ASSERT_EQ(clockwise.width(), 16);
    EXPECT_TRUE(red_at(clockwise, 2, 8));
    EXPECT_FALSE(red_at(clockwise, 21, 8));
    const Image counter_clockwise = decode(with_orientation(file, 8, big_endian));
    EXPECT_FALSE(red_at(counter_clockwise, 2, 8));
    EXPECT_TRUE(red_at(counter_clockwise, 21, 8));
  }
  const auto path = temporary_file("turned.jpg");
  write_file(path, with_orientation(file, 6, false));
  EXPECT_EQ(image_size(path), (ImageSize{24, 16, 3, PixelType::u8}));
  EXPECT_EQ(stored_form(path).format, FileFormat::jpeg);
  EXPECT_EQ(stored_form(path).orientation, 6);
  write_file(path, file);
  EXPECT_EQ(stored_form(path).orientation, 1);
}

TEST(Jpeg, UnknownOrientationsAreUpright) {
  for (const int orientation : {0, 9, 255}) {
    EXPECT_EQ(decode(with_orientation(encode_jpeg(red_and_blue()), orientation, true)).width(), 24);
  }
}

TEST(Jpeg, TruncatedFilesAreErrors) {
  const std::string file = encode_jpeg(red_and_blue(), 95);
  for (std::size_t size = 4; size < file.size() - 2; size += 7) {
    EXPECT_THAT(error_of([&] { decode(file.substr(0, size)); }),
                HasSubstr("memory.jpg: damaged JPEG file: "))
        << size;
  }
}

TEST(Jpeg, StrayBytesAreHarmlessButAMissingEndIsNot) {
  const std::string file = encode_jpeg(red_and_blue(), 95);
  // Behind the first segment, where libjpeg skips and warns.
  const std::size_t second = 4 + static_cast<unsigned char>(file[5]);
  const std::string stray = file.substr(0, second) + "stray" + file.substr(second);
  EXPECT_EQ(decode(stray).width(), 24);
  EXPECT_NE(error_of([&] { decode(stray.substr(0, stray.size() - 40)); }), "");
}

TEST(Jpeg, RefusesWhatJpegCannotHold) {
  EXPECT_THAT(error_of([] { encode_jpeg(Image(8, 8, 4), 90); }), HasSubstr("1 or 3 channels"));
  EXPECT_THAT(error_of([] { encode_jpeg(Image(8, 8, 1, PixelType::u16), 90); }),
              HasSubstr("not 1 of 16"));
  EXPECT_THAT(error_of([] { encode_jpeg(Image(8, 8, 1), 0); }), HasSubstr("1 to 100"));
}

}  // namespace
}  // namespace segmentum
