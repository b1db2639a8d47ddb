#include "infer/crf_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <functional>

#include "base/file.h"
#include "image/codec.h"
#include "infer/npy.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

fs::path file(const std::string& name) {
  return fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "crf_input" / name;
}

/// One row of grey pixels.
template <typename T>
fs::path grey(const std::string& name, const std::vector<T>& values) {
  const PixelType type = sizeof(T) == 1 ? PixelType::u8 : PixelType::u16;
  write_png(file(name), ImageView{values.data(), 1, static_cast<int>(values.size()), 1, type, 0});
  return file(name);
}

LabelFile labels(const fs::path& path, const LabelRule& rule = {}) {
  return std::get<LabelFile>(read_crf_input(path, rule));
}

std::vector<std::uint16_t> row(const LabelMap& map) {
  return {map.labels().begin(), map.labels().end()};
}

std::string complaint(const std::function<void()>& call) {
  try {
    call();
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(CrfInput, EveryValueIsAClassAnd255IsIgnored) {
  const LabelFile read = labels(grey<std::uint8_t>("a.png", {7, 255, 11, 7}));
  EXPECT_THAT(row(read.labels), ElementsAre(0, kIgnoreLabel, 1, 0));
  EXPECT_THAT(read.values, ElementsAre(7, 11));
  EXPECT_EQ(read.ignore_value, 255);
  const LabelFile deep = labels(grey<std::uint16_t>("deep.png", {300, 255, 65535}));
  EXPECT_THAT(deep.values, ElementsAre(255, 300));
  EXPECT_THAT(row(deep.labels), ElementsAre(1, 0, kIgnoreLabel));
}

TEST(CrfInput, AMaskOf0And255HasTwoClasses) {
  const fs::path path = grey<std::uint8_t>("mask.png", {0, 255, 255});
  EXPECT_THAT(row(labels(path).labels), ElementsAre(0, 1, 1));
  EXPECT_THAT(row(labels(path, {.ignore_value = 255}).labels),
              ElementsAre(0, kIgnoreLabel, kIgnoreLabel));
  EXPECT_THAT(row(labels(path, {.classes = 2}).labels), ElementsAre(0, kIgnoreLabel, kIgnoreLabel));
}

TEST(CrfInput, ClassesAndIgnoredValueAsTold) {
  const fs::path path = grey<std::uint8_t>("told.png", {0, 2, 255});
  const LabelFile three = labels(path, {.classes = 3});
  EXPECT_THAT(three.values, ElementsAre(0, 1, 2));
  EXPECT_THAT(row(three.labels), ElementsAre(0, 2, kIgnoreLabel));
  EXPECT_THAT(row(labels(path, {.ignore_value = 0}).labels), ElementsAre(kIgnoreLabel, 0, 1));
  EXPECT_THAT(row(labels(path, {.ignore_value = -1}).labels), ElementsAre(0, 1, 2));
  EXPECT_THAT(complaint([&] { labels(path, {.classes = 2}); }),
              HasSubstr("told.png: has the label 2, but there are 2 classes (0..1)"));
  EXPECT_THAT(complaint([] {
                labels(grey<std::uint8_t>("void.png", {255, 255, 1}), {.ignore_value = 255});
              }),
              "none");
  EXPECT_THAT(complaint([] { labels(grey<std::uint16_t>("void.png", {65535})); }),
              HasSubstr("void.png: has no pixel with a label"));
}

TEST(CrfInput, ColoursAreNoLabels) {
  Image colours(1, 2, 3);
  colours.row<std::uint8_t>(0)[4] = 9;
  write_png(file("colours.png"), colours);
  EXPECT_THAT(complaint([] { labels(file("colours.png")); }),
              HasSubstr("colours.png: holds no label at x=1, y=0; expected class indices"));
  EXPECT_THAT(complaint([] { labels(file("absent.png")); }), HasSubstr("absent.png"));
}

TEST(CrfInput, ProbabilitiesFromArrays) {
  const std::vector<float> numbers{0.25f, 1, 0.75f, 0};
  write_npy(file("p.npy"), {2, 1, 2}, numbers);
  const auto p = std::get<Probabilities>(read_crf_input(file("p.npy")));
  EXPECT_EQ(p.classes(), 2);
  EXPECT_THAT(p.values(), ElementsAre(0.25f, 1, 0.75f, 0));
  // Of one class or of none given: the other one has the rest.
  for (const Shape& shape : {Shape{1, 2}, Shape{1, 1, 2}, Shape{1, 1, 1, 2}}) {
    write_npy(file("one.npy"), shape, std::vector<float>{0.25f, 1});
    const auto both = std::get<Probabilities>(read_crf_input(file("one.npy")));
    EXPECT_THAT(both.values(), ElementsAre(0.75f, 0, 0.25f, 1));
  }
  write_npy(file("flat.npy"), {4}, numbers);
  EXPECT_THAT(complaint([] { read_crf_input(file("flat.npy")); }),
              HasSubstr("flat.npy: is of shape 4; expected probabilities [K,H,W] or labels [H,W]"));
}

TEST(CrfInput, LabelsFromArrays) {
  std::string text("\x93NUMPY\x01\x00", 8);
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 3)}\n";
  const std::int32_t numbers[] = {4, 0, 255};
  text += static_cast<char>(header.size());
  text += '\0';
  text += header;
  text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  write_file(file("labels.npy"), text);
  EXPECT_THAT(row(labels(file("labels.npy")).labels), ElementsAre(1, 0, kIgnoreLabel));
}

/// A TIFF of interleaved samples in one strip.
fs::path tiff(const std::string& name, int bits, int format, int bands, int width,
              const void* samples) {
  fs::create_directories(file(name).parent_path());
  TIFF* out = TIFFOpen(file(name).c_str(), "w");
  TIFFSetField(out, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(out, TIFFTAG_IMAGELENGTH, 1);
  TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, bits);
  TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, bands);
  TIFFSetField(out, TIFFTAG_SAMPLEFORMAT, format);
  TIFFSetField(out, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFWriteEncodedStrip(out, 0, const_cast<void*>(samples), bits / 8 * bands * width);
  TIFFClose(out);
  return file(name);
}

TEST(CrfInput, ProbabilitiesFromBands) {
  const float floats[] = {0.5f, 0.25f, 0.25f, 0, 1, 0};
  const auto p =
      std::get<Probabilities>(read_crf_input(tiff("f.tif", 32, SAMPLEFORMAT_IEEEFP, 3, 2, floats)));
  EXPECT_THAT(p.values(), ElementsAre(0.5f, 0, 0.25f, 1, 0.25f, 0));
  const std::uint16_t words[] = {65535, 0, 0, 65535};
  const auto w =
      std::get<Probabilities>(read_crf_input(tiff("w.tif", 16, SAMPLEFORMAT_UINT, 2, 2, words)));
  EXPECT_THAT(w.values(), ElementsAre(1, 0, 0, 1));
  const float foreground[] = {0.75f, 0};
  const auto both = std::get<Probabilities>(
      read_crf_input(tiff("one.tif", 32, SAMPLEFORMAT_IEEEFP, 1, 2, foreground)));
  EXPECT_THAT(both.values(), ElementsAre(0.25f, 1, 0.75f, 0));
  const float whole[] = {2, 0};
  EXPECT_THAT(row(labels(tiff("whole.tif", 32, SAMPLEFORMAT_IEEEFP, 1, 2, whole)).labels),
              ElementsAre(1, 0));
}

TEST(CrfInput, LabelsAreWrittenAsTheyCame) {
  const auto again = [](const fs::path& path) {
    const CrfInput input = read_crf_input(path);
    write_labels_like(file("again.png"), labels_of(input), input);
    return read_mask(file("again.png"));
  };
  const RawMask grey_mask = again(grey<std::uint8_t>("grey.png", {7, 255, 11}));
  EXPECT_TRUE(grey_mask.palette.empty());
  EXPECT_EQ(grey_mask.values.row<std::uint8_t>(0)[1], 255);
  EXPECT_EQ(grey_mask.values.row<std::uint8_t>(0)[2], 11);
  const RawMask binary = again(grey<std::uint8_t>("binary.png", {0, 255}));
  EXPECT_EQ(binary.values.row<std::uint8_t>(0)[1], 255);
  const RawMask deep = again(grey<std::uint16_t>("deep2.png", {300, 65535}));
  EXPECT_EQ(deep.values.type(), PixelType::u16);
  EXPECT_EQ(deep.values.row<std::uint16_t>(0)[0], 300);
  LabelMap map(1, 3);
  map(0, 1) = 2;
  map(0, 2) = kIgnoreLabel;
  write_label_png(file("palette.png"), map, Palette::voc(3));
  const RawMask palette = again(file("palette.png"));
  EXPECT_EQ(palette.values.row<std::uint8_t>(0)[1], 2);
  EXPECT_EQ(palette.values.row<std::uint8_t>(0)[2], 255);
  EXPECT_EQ(palette.palette[2], Palette::voc(3).colours[2]);
  write_npy(file("two.npy"), {2, 1, 1}, std::vector<float>{0.1f, 0.9f});
  EXPECT_EQ(again(file("two.npy")).palette[1], Palette::voc(2).colours[1]);
}

TEST(CrfInput, MoreClassesThanAByteHolds) {
  const fs::path path = grey<std::uint8_t>("many.png", {7, 255});
  const CrfInput input = read_crf_input(path, {.classes = 300});
  EXPECT_EQ(palette_of(input).colours.size(), 300);
  LabelMap labels = labels_of(input);
  EXPECT_THAT(row(labels), ElementsAre(7, 255));
  labels(0, 0) = 299;
  write_labels_like(file("many_again.png"), labels, input);
  const RawMask again = read_mask(file("many_again.png"));
  EXPECT_EQ(again.values.row<std::uint16_t>(0)[0], 299);
}

TEST(CrfInput, TruthInTheInputsValues) {
  const CrfInput input = read_crf_input(grey<std::uint8_t>("in.png", {7, 11, 11, 7}));
  const fs::path truth = grey<std::uint8_t>("truth.png", {11, 7, 9, 255});
  EXPECT_THAT(row(read_truth(truth, input)), ElementsAre(1, 0, kIgnoreLabel, kIgnoreLabel));
  EXPECT_THAT(complaint([&] { read_truth(grey<std::uint8_t>("short.png", {7}), input); }),
              HasSubstr("short.png: is 1x1 but the picture is 4x1"));
}

TEST(CrfInput, SizesThatDiffer) {
  const CrfInput input = read_crf_input(grey<std::uint8_t>("size.png", {0, 1, 1}));
  EXPECT_THAT(complaint([&] { crf_of(Image(2, 2, 3), input, "in.npy", {}, {}); }),
              HasSubstr("the picture is 2x2 but the labels are 3x1"));
  const CrfInput turned = Probabilities(5, 7, 3);
  EXPECT_THAT(
      complaint([&] { crf_of(Image(5, 7, 3), turned, "in.npy", {}, {}); }),
      HasSubstr("the probabilities are [5,7,3], rows, columns, classes; expected [classes"));
  EXPECT_THAT(complaint([&] { crf_of(Image(8, 8, 3), turned, "in.npy", {}, {}); }),
              HasSubstr("the picture is 8x8 but the probabilities of 5 classes are 3x7"));
}

}  // namespace
}  // namespace segmentum
