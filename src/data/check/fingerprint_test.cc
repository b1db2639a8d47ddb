#include "data/check/fingerprint.h"

#include <gtest/gtest.h>

#include "data/scenes.h"
#include "image/codec.h"
#include "image/resize.h"
#include "image/testing.h"

namespace segmentum {
namespace {

Image scene(std::uint32_t index) {
  return generate_scene(3, index, {.height = 120, .width = 160}).image;
}

Image compressed(const Image& picture, int quality) {
  const std::string file = encode_jpeg(picture, quality);
  return read_image_memory(std::as_bytes(std::span(file.data(), file.size())), "a", {});
}

Image mirrored(const Image& picture) {
  return oriented(resize(picture, picture.height(), picture.width()), 2);
}

TEST(Fingerprint, MeansOfABlackAndAWhiteHalf) {
  Image picture(64, 64, 1);
  for (int y = 0; y < 64; ++y) {
    for (int x = 32; x < 64; ++x) picture.row<std::uint8_t>(y)[x] = 255;
  }
  const Fingerprint print = fingerprint(picture);
  EXPECT_EQ(print.grey[0], 0);
  EXPECT_EQ(print.grey[15], 0);
  EXPECT_EQ(print.grey[16], 255);
  EXPECT_FLOAT_EQ(print.contrast, 127.5f);
  EXPECT_TRUE(print.tells());
  EXPECT_FALSE(fingerprint(Image(64, 64, 3)).tells());
}

TEST(Fingerprint, StaysWhenAPictureIsCompressedOrResized) {
  const Image picture = scene(0);
  for (const Image& other :
       {compressed(picture, 40), resize(picture, 96, 128, {.antialias = true}),
        resize(picture, 150, 200), resize(picture, 100, 100, {.antialias = true})}) {
    const Fingerprint a = fingerprint(picture), b = fingerprint(other);
    EXPECT_LE(hash_distance(a, b, kUnchanged), 4);
    EXPECT_LT(grey_difference(a, b, kUnchanged), 1.5);
    EXPECT_TRUE(is_same_picture(picture_difference(picture, other, kUnchanged)));
  }
}

TEST(Fingerprint, GainAndOffsetDoNotMatter) {
  // 0.9 * grey + 10 of 16 columns 0, 10, ... 150: least squares finds both.
  Image picture(16, 16, 1), darker(16, 16, 1);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      picture.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(10 * x);
      darker.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(9 * x + 10);
    }
  }
  EXPECT_LT(picture_difference(picture, darker, kUnchanged).worst, 1e-3);
}

TEST(Fingerprint, FindsMirroredAndTurnedCopies) {
  const Image picture = scene(1);
  const Fingerprint of_picture = fingerprint(picture);
  // How the orientations of TIFF 6.0 are told: 2 mirrors, 3 turns by 180 degrees, 4 mirrors upside
  // down, 6 and 8 turn by 90.
  const std::pair<int, const char*> kOrientations[] = {{2, "mirrored"},
                                                       {3, "turned by 180 degrees"},
                                                       {4, "mirrored upside down"},
                                                       {6, "turned by 90 degrees"},
                                                       {8, "turned by 90 degrees"}};
  for (const auto& [orientation, text] : kOrientations) {
    const Image other = oriented(scene(1), orientation);
    const Fingerprint of_other = fingerprint(other);
    int found = -1;
    for (Symmetry symmetry = 0; symmetry < kSymmetries; ++symmetry) {
      if (hash_distance(of_picture, of_other, symmetry) == 0) found = symmetry;
    }
    ASSERT_GE(found, 0) << text;
    EXPECT_EQ(symmetry_text(found), text);
    EXPECT_TRUE(is_same_picture(picture_difference(picture, other, found)));
  }
  EXPECT_FALSE(is_same_picture(picture_difference(picture, mirrored(picture), kUnchanged)));
}

TEST(Fingerprint, OtherPicturesAreOthers) {
  for (std::uint32_t i = 1; i < 8; ++i) {
    EXPECT_FALSE(is_same_picture(picture_difference(scene(0), scene(i), kUnchanged)));
  }
}

TEST(Fingerprint, TheSmallestPicturesHaveOne) {
  EXPECT_FALSE(fingerprint(Image(1, 1, 1)).tells());
  EXPECT_EQ(picture_difference(Image(1, 1, 1), Image(1, 7, 3), kUnchanged).rms, 0);
}

}  // namespace
}  // namespace segmentum
