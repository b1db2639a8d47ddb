#include "image/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Codec, ContentDecidesNotTheName) {
  const auto path = temporary_file("really_a.jpg");
  write_png(path, make_image<std::uint8_t>(1, 2, 1, {3, 200}));
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(path)), ElementsAre(3, 200));
}

TEST(Codec, TellsTheFormOfAFile) {
  const auto path = temporary_file("really_a_png.jpg");
  write_png(path, Image(1, 2, 1));
  EXPECT_EQ(stored_form(path).format, FileFormat::png);
  EXPECT_EQ(stored_form(path).orientation, 1);
  EXPECT_THAT(error_of([] { stored_form("/nowhere/a.png"); }), HasSubstr("cannot open"));
}

TEST(Codec, ForeignAndEmptyFilesAreNamed) {
  const auto path = temporary_file("foreign.png");
  const auto message = [&](const std::string& content) {
    write_file(path, content);
    return error_of([&] { read_image(path); });
  };
  EXPECT_THAT(message(""),
              HasSubstr("foreign.png: is an empty file; PNG, JPEG or TIFF was expected"));
  EXPECT_THAT(message("GIF89a"), HasSubstr("is a GIF file"));
  EXPECT_THAT(message("hello"), HasSubstr("is no picture that we know"));
  EXPECT_THAT(error_of([] { read_image("/nowhere/a.png"); }),
              HasSubstr("/nowhere/a.png: cannot open"));
  EXPECT_THAT(error_of([] { image_size(testing::TempDir()); }), HasSubstr("is a folder"));
  EXPECT_THAT(error_of([] { read_image_memory({}, "nothing"); }),
              HasSubstr("nothing: is an empty file"));
}

TEST(Codec, LimitIsHeldFromTheHeader) {
  const auto path = temporary_file("limit.png");
  write_png(path, Image(10, 10, 3));
  EXPECT_NO_THROW(read_image(path, {.max_pixels = 100}));
  EXPECT_THAT(error_of([&] { read_image(path, {.max_pixels = 99}); }),
              HasSubstr("has 10x10 pixels with 3 channels, over the limit of 99 pixels"));
}

TEST(Codec, ExtensionsInAnyCase) {
  for (const char* name : {"a.png", "a.JPG", "dir.d/a.Jpeg", "a.tif", "a.b.TIFF"}) {
    EXPECT_TRUE(is_image_file(name)) << name;
  }
  for (const char* name : {"a.gif", "png", "a.png.txt", ".png", "a"}) {
    EXPECT_FALSE(is_image_file(name)) << name;
  }
}

LabelMap three_labels() {
  LabelMap labels(1, 3);
  labels(0, 1) = 2;
  labels(0, 2) = kIgnoreLabel;
  return labels;
}

TEST(LabelPng, EightBitFilesHoldIndicesAndThePalette) {
  const auto path = temporary_file("labels8.png");
  write_label_png(path, three_labels(), Palette::voc(3));
  const RawMask mask = read_mask(path);
  EXPECT_EQ(mask.values.type(), PixelType::u8);
  EXPECT_THAT(samples_of<std::uint8_t>(mask.values), ElementsAre(0, 2, 255));
  ASSERT_EQ(mask.palette.size(), 256u);
  EXPECT_EQ(mask.palette[2], (Rgb{0, 128, 0}));
  EXPECT_EQ(mask.palette[255], (Rgb{224, 224, 192}));
}

TEST(LabelPng, UpTo255ClassesFitEightBits) {
  const auto path = temporary_file("labels255.png");
  write_label_png(path, LabelMap(1, 2, 254), Palette::voc(255));
  EXPECT_THAT(samples_of<std::uint8_t>(read_mask(path).values), Each(254));
  LabelMap labels = three_labels();
  labels(0, 0) = 255;
  write_label_png(path, labels, Palette::voc(256));
  const RawMask mask = read_mask(path);
  EXPECT_EQ(mask.values.type(), PixelType::u16);
  EXPECT_TRUE(mask.palette.empty());
  EXPECT_THAT(samples_of<std::uint16_t>(mask.values), ElementsAre(255, 2, 65535));
}

TEST(LabelPng, IgnoreValueCanBeChosen) {
  const auto path = temporary_file("labels_ignore.png");
  write_label_png(path, three_labels(), Palette::voc(3), {.ignore_value = 11});
  const RawMask mask = read_mask(path);
  EXPECT_THAT(samples_of<std::uint8_t>(mask.values), ElementsAre(0, 2, 11));
  EXPECT_EQ(mask.palette[11], (Rgb{224, 224, 192}));
}

TEST(LabelPng, RefusesLabelsAndIgnoreValuesThatClash) {
  const auto path = temporary_file("labels_bad.png");
  const auto message = [&](int classes, LabelPngOptions options) {
    return error_of([&] { write_label_png(path, three_labels(), Palette::voc(classes), options); });
  };
  EXPECT_THAT(message(2, {}), HasSubstr("label 2 at row 0, column 1 is outside the 2 classes"));
  EXPECT_THAT(message(3, {.ignore_value = 1}), HasSubstr("ignore value 1 is also the index"));
  EXPECT_THAT(message(3, {.ignore_value = 300}), HasSubstr("does not fit an 8-bit file"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace segmentum
