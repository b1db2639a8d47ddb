// Pictures of 16 bits, of float and of any number of bands reach the network with all they hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <algorithm>
#include <set>

#include "data/loader.h"
#include "data/picture_statistics.h"
#include "data/testing.h"

namespace segmentum {
namespace {

/// Samples of `T` in one strip; what a fourth band is, ExtraSamples may say.
template <typename T>
void write_bands(const std::filesystem::path& path, const Image& image, bool alpha = false) {
  std::filesystem::create_directories(path.parent_path());
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, image.width());
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, image.height());
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, image.channels());
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8 * sizeof(T));
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT,
               std::is_floating_point_v<T> ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  std::vector<std::uint16_t> extra(image.channels() - 3,
                                   alpha ? EXTRASAMPLE_UNASSALPHA : EXTRASAMPLE_UNSPECIFIED);
  TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, static_cast<std::uint16_t>(extra.size()), extra.data());
  for (int y = 0; y < image.height(); ++y) {
    TIFFWriteScanline(tiff, const_cast<T*>(image.row<T>(y)), y, 0);
  }
  TIFFClose(tiff);
}

/// One picture and its mask of class 0.
Dataset one_picture(const TemporaryFolder& folder, const std::string& name, int channels,
                    int height, int width) {
  Dataset dataset;
  dataset.root = folder.path();
  dataset.classes = {{"all", {}}};
  dataset.encoding.to_class = {{0, 0}};
  dataset.channels = channels;
  folder.png("mask.png", Image(height, width, 1));
  dataset.splits["train"] = {{.name = "one", .image = name, .mask = "mask.png"}};
  return dataset;
}

/// What the loader makes of the picture; flipped or not, no sample may change.
Batch batch_of(const Dataset& dataset, const Preprocess& preprocess) {
  LoaderOptions options{.batch_size = 1, .preprocess = preprocess};
  options.augment = {.crop_height = 0, .crop_width = 0, .scale_min = 1, .scale_max = 1};
  return Loader(dataset, options).next();
}

/// Neighbouring 16-bit values, which 8 bits could not tell apart.
TEST(DeepPictures, EveryValueOf16BitsReachesTheNetwork) {
  const TemporaryFolder folder;
  Image image(8, 16, 1, PixelType::u16);
  for (int i = 0; i < 128; ++i) {
    image.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(30000 + i);
  }
  folder.png("deep.png", image);
  const Dataset dataset = one_picture(folder, "deep.png", 1, 8, 16);
  const PictureStatistics found = picture_statistics(folder.path(), dataset.split("train"));
  // 128 neighbouring values: mean 30063.5, deviation sqrt((128^2 - 1) / 12) = 36.9487.
  EXPECT_NEAR(found.mean.at(0), 30063.5 / 65535, 5e-5);
  EXPECT_NEAR(found.std.at(0), 36.9487 / 65535, 5e-8);
  const Batch batch = batch_of(dataset, {.mean = found.mean, .std = found.std});
  std::vector<float> values(batch.images.values().begin(), batch.images.values().end());
  std::ranges::sort(values);
  for (int i = 0; i < 128; ++i) {
    const double expected = ((30000 + i) / 65535.0 - found.mean[0]) / found.std[0];
    // float near 800 (mean over deviation) is good to 6e-5; neighbours are 0.027 apart.
    EXPECT_NEAR(values[i], expected, 5e-4);
  }
}

TEST(DeepPictures, AFourthBandIsABandUnlessTheFileCallsItAlpha) {
  const TemporaryFolder folder;
  Image image(4, 4, 4, PixelType::u16);
  for (int i = 0; i < 64; ++i) {
    image.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(1000 * (i % 4) + i);
  }
  for (const bool alpha : {false, true}) {
    write_bands<std::uint16_t>(folder / "bands.tif", image, alpha);
    const int channels = alpha ? 3 : 4;
    const Dataset dataset = one_picture(folder, "bands.tif", channels, 4, 4);
    const PictureStatistics found = picture_statistics(folder.path(), dataset.split("train"));
    EXPECT_EQ(found.channels, channels);
    const Batch batch = batch_of(dataset, {.mean = std::vector<float>(channels, 0.0f),
                                           .std = std::vector<float>(channels, 1.0f)});
    ASSERT_EQ(batch.images.shape().c(), channels);
    for (int c = 0; c < channels; ++c) {  // pixel (0,0) of each band, or that of the other end
      const float first = batch.images(0, c, 0, 0), last = batch.images(0, c, 0, 3);
      EXPECT_FLOAT_EQ(std::min(first, last), static_cast<float>(1001 * c) / 65535);
    }
  }
  folder.png("bands.png", image);  // of a PNG file it is always an alpha
  const Dataset png = one_picture(folder, "bands.png", 3, 4, 4);
  EXPECT_EQ(picture_statistics(folder.path(), png.split("train")).channels, 3);
}

TEST(DeepPictures, FloatOfSevenBands) {
  const TemporaryFolder folder;
  Image image(2, 2, 7, PixelType::f32);
  for (int i = 0; i < 28; ++i) image.row<float>(0)[i] = 0.001f * static_cast<float>(i) - 5;
  write_bands<float>(folder / "bands.tif", image);
  const Dataset dataset = one_picture(folder, "bands.tif", 7, 2, 2);
  EXPECT_EQ(picture_statistics(folder.path(), dataset.split("train")).channels, 7);
  const Batch batch =
      batch_of(dataset, {.mean = std::vector<float>(7, 0.0f), .std = std::vector<float>(7, 1.0f)});
  const std::set<float> reached(batch.images.values().begin(), batch.images.values().end());
  EXPECT_EQ(reached, std::set<float>(image.row<float>(0), image.row<float>(0) + 28));
}

}  // namespace
}  // namespace segmentum
