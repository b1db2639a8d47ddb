// Odd, old and broken files from public collections: each is decoded or refused, silently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "image/codec.h"
#include "image/resize.h"
#include "image/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  if (const char* folder = std::getenv("SEGMENTUM_DATA")) return folder;
  return fs::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "data";
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

class Robustness : public testing::TestWithParam<const char*> {};

TEST_P(Robustness, DecodesOrThrows) {
  const fs::path folder = data_folder() / "robustness" / GetParam();
  const std::vector<fs::path> files = files_below(folder);
  if (files.empty()) GTEST_SKIP() << folder << " is absent";
  testing::internal::CaptureStderr();
  for (const fs::path& file : files) {
    const std::string failure = error_of([&] {
      const Image image = read_image(file);
      EXPECT_EQ(image_size(file),
                (ImageSize{image.height(), image.width(), image.channels(), image.type()}))
          << file;
    });
    if (!failure.empty()) {
      EXPECT_THAT(failure, testing::StartsWith(file.string() + ": "));
      EXPECT_THAT(failure, testing::Not(testing::HasSubstr("\n")));
    }
    const bool broken_png =
        std::string(GetParam()) == "png_pngsuite" && file.filename().string()[0] == 'x';
    if (broken_png) {
      EXPECT_NE(failure, "") << file;
    } else if (std::string(GetParam()) == "exif_orientation") {
      EXPECT_EQ(failure, "");
    }
    const std::string mask_failure = error_of([&] { read_mask(file); });
    EXPECT_EQ(mask_failure.empty(), failure.empty()) << file << mask_failure;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(Folders, Robustness,
                         testing::Values("png_pngsuite", "png_bugfixes", "exif_orientation",
                                         "corrupt", "colour_depth_modes", "corrupt_tiff_fuzz",
                                         "tiff_mixed", "tiff_libtiffpic", "tiff_libtiffpic_depth",
                                         "geotiff"),
                         [](const auto& folder) { return std::string(folder.param); });

// The same picture stored in several orientations: upright, they must agree.
TEST(Orientation, RealFilesComeUpright) {
  const fs::path folder = data_folder() / "robustness" / "exif_orientation";
  if (!fs::is_directory(folder)) GTEST_SKIP() << folder << " is absent";
  const auto thumbnail = [&](const std::string& name) {
    return samples_of<std::uint8_t>(resize(read_image(folder / name), 6, 6, {.antialias = true}));
  };
  const auto agree = [&](const std::string& first, const std::string& other) {
    const auto a = thumbnail(first), b = thumbnail(other);
    ASSERT_EQ(a.size(), b.size());
    // 6: each was compressed anew, and a G4 file may be shifted by a row. A wrong turn differs by
    // more than 50 somewhere.
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 6) << other;
  };
  for (const char* number : {"3", "6", "8"}) {
    agree("Landscape_1.jpg", std::string("Landscape_") + number + ".jpg");
  }
  for (const char* number : {"2", "3", "4", "5", "6", "7", "8"}) {
    agree("g4_orientation_1.tif", std::string("g4_orientation_") + number + ".tif");
  }
}

TEST(VocStyle, LabelFilesDecodeAsIndices) {
  const fs::path folder = data_folder() / "voc_style";
  if (!fs::is_directory(folder)) GTEST_SKIP() << folder << " is absent";
  int files = 0;
  for (const fs::path& file : files_below(folder)) {
    if (file.parent_path().filename() != "SegmentationClass" || file.extension() != ".png")
      continue;
    const RawMask mask = read_mask(file);
    EXPECT_EQ(mask.values.channels(), 1) << file;
    EXPECT_EQ(mask.values.type(), PixelType::u8) << file;
    ASSERT_GE(mask.palette.size(), 2u) << file;
    EXPECT_EQ(mask.palette[1], (Rgb{128, 0, 0})) << file;
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace segmentum
