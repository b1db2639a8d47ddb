#include "data/label_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint16_t> decoded(const std::filesystem::path& file,
                                   const LabelEncoding& encoding) {
  const LabelMap labels = decode_labels(read_mask(file), encoding);
  return {labels.labels().begin(), labels.labels().end()};
}

TEST(LabelValues, SeveralValuesMakeOneClassAndIgnoreIsIgnored) {
  const TemporaryFolder folder;
  folder.grey("a.png", {0, 3, 4, 11});
  const LabelEncoding encoding{.to_class = {{0, 0}, {3, 1}, {4, 1}, {11, kIgnoreLabel}}};
  EXPECT_THAT(decoded(folder / "a.png", encoding), ElementsAre(0, 1, 1, kIgnoreLabel));
}

TEST(LabelValues, PaletteFilesGiveTheirIndices) {
  const TemporaryFolder folder;
  folder.palette("a.png", {0, 2, 1, 255});
  const LabelEncoding encoding{.to_class = {{0, 0}, {1, 1}, {2, 2}, {255, kIgnoreLabel}}};
  EXPECT_THAT(decoded(folder / "a.png", encoding), ElementsAre(0, 2, 1, kIgnoreLabel));
}

TEST(LabelValues, ColoursAreMatchedExactlyAlsoInPalettes) {
  const TemporaryFolder folder;
  folder.colours("a.png", {{128, 0, 0}, {0, 0, 0}, {0, 128, 0}});
  folder.palette("b.png", {1, 0, 2});
  const LabelEncoding encoding{.kind = LabelEncoding::Kind::colour,
                               .to_class = {{0x000000, 0}, {0x800000, 1}, {0x008000, 2}}};
  EXPECT_THAT(decoded(folder / "a.png", encoding), ElementsAre(1, 0, 2));
  EXPECT_THAT(decoded(folder / "b.png", encoding), ElementsAre(1, 0, 2));
}

TEST(LabelValues, ThresholdDividesAtItsValue) {
  const TemporaryFolder folder;
  folder.grey("a.png", {0, 127, 128, 255});
  const LabelEncoding encoding{.to_class = {{0, 0}, {255, 1}}, .threshold = 128};
  EXPECT_THAT(decoded(folder / "a.png", encoding), ElementsAre(0, 0, 1, 1));
}

TEST(LabelValues, SixteenBitValues) {
  const TemporaryFolder folder;
  Image image(1, 3, 1, PixelType::u16);
  image.row<std::uint16_t>(0)[1] = 1000;
  image.row<std::uint16_t>(0)[2] = 65535;
  folder.png("a.png", image);
  const LabelEncoding encoding{.to_class = {{0, 0}, {1000, 1}, {65535, kIgnoreLabel}}};
  EXPECT_THAT(decoded(folder / "a.png", encoding), ElementsAre(0, 1, kIgnoreLabel));
}

TEST(LabelValues, UnknownValuesAreNamedWithTheirPlace) {
  const TemporaryFolder folder;
  folder.grey("a.png", {0, 1, 7});
  folder.colours("b.png", {{1, 1, 1}, {1, 2, 3}});
  const LabelEncoding values{.to_class = {{0, 0}, {1, 1}}};
  EXPECT_THAT(error_of([&] { decoded(folder / "a.png", values); }),
              HasSubstr("holds value 7 at x=2 y=0, which no class has; add it to"));
  EXPECT_THAT(error_of([&] { decoded(folder / "b.png", values); }),
              HasSubstr("a colour at x=1 y=0 but grey values were expected"));
  const LabelEncoding colours{.kind = LabelEncoding::Kind::colour, .to_class = {{0x010101, 0}}};
  EXPECT_THAT(error_of([&] { decoded(folder / "b.png", colours); }),
              HasSubstr("holds colour #010203 at x=1 y=0"));
}

TEST(LabelValues, ValuesOfNoClassCanBeKept) {
  const RawMask mask{make_image<std::uint8_t>(1, 4, 1, {0, 3, 7, 255}), {}};
  const LabelEncoding encoding{.to_class = {{0, 0}, {3, 1}, {255, kIgnoreLabel}}};
  EXPECT_THAT(decode_known_labels(mask, encoding).labels(),
              ElementsAre(0, 1, kUnknownLabel, kIgnoreLabel));
}

TEST(LabelValues, ColoursAreReadFromText) {
  EXPECT_EQ(colour_of_text("#40c0Ff"), (Rgb{0x40, 0xc0, 0xff}));
  for (const char* text : {"", "#", "40c0ff", "#40c0f", "#40c0fg", "#40c0ff0", "#+0c0ff"}) {
    EXPECT_EQ(colour_of_text(text), std::nullopt) << text;
  }
}

TEST(LabelValues, SourceValuesAreTheLeastOfEachClass) {
  const LabelEncoding encoding{.to_class = {{0, 0}, {3, 1}, {4, 1}, {11, kIgnoreLabel}}};
  EXPECT_THAT(source_values(encoding, 2), ElementsAre(0, 3));
  EXPECT_EQ(unused_value(encoding), 255u);
  EXPECT_EQ(unused_value({.to_class = {{0, 0}, {255, 1}}}), 254u);
}

}  // namespace
}  // namespace segmentum
