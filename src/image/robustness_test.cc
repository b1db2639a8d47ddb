// Odd, old and broken files from public collections: each is decoded to the right pixels or refused
// with one line, silently, in little time and little memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/sha256.h"
#include "image/codec.h"
#include "image/picture_source.h"
#include "image/resize.h"
#include "image/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  if (const char* folder = std::getenv("SEGMENTUM_DATA")) return folder;
  return fs::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "data";
}

fs::path robustness_folder() {
  return data_folder() / "robustness";
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

/// The fields of a CSV file without quotes, its first line left out; none where it is absent.
std::vector<std::vector<std::string>> rows_of(const fs::path& csv) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream stream(csv);
  std::string line;
  std::getline(stream, line);
  while (std::getline(stream, line)) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

/// A file of MANIFEST.csv, and what Pillow makes of it.
struct ManifestFile {
  std::string name;    // below the folder
  std::string format;  // empty: Pillow does not know it
  int width = 0, height = 0;
  bool decodes = false;

  std::string folder() const { return name.substr(0, name.find('/')); }
  fs::path path() const { return robustness_folder() / name; }
  /// Of those formats that we do not read.
  bool foreign() const {
    return format == "BMP" || format == "GIF" || format == "WEBP" || format == "PPM";
  }
};

std::vector<ManifestFile> manifest() {
  std::vector<ManifestFile> files;
  for (const std::vector<std::string>& row : rows_of(robustness_folder() / "MANIFEST.csv")) {
    ManifestFile file{.name = row.at(0), .format = row.at(2), .decodes = row.at(6) == "yes"};
    if (!row.at(4).empty()) {
      file.width = static_cast<int>(std::atoll(row.at(4).c_str()));
      file.height = static_cast<int>(std::atoll(row.at(5).c_str()));
    }
    files.push_back(std::move(file));
  }
  return files;
}

constexpr std::int64_t kMostPictureBytes = std::int64_t{256} << 20;

/// What is refused, though its folder is not one of broken files, and a word of the reason.
const std::map<std::string, std::string>& refused() {
  static const std::map<std::string, std::string> files{
      {"geotiff/corrupt.tif", "is it cut off?"},
      {"large/own_28800x21600_1bit_mask_g4.tif", "would take 622 MB"},
      {"png_bugfixes/x_consecutive_idat.png", "Not enough image data"},
      {"png_bugfixes/x_ihdr_missing.png", "Missing IHDR"},
      // Pillow passes over the checksum of pixels. It says that they are not those that were
      // stored: what is learnt from must not be guessed.
      {"png_bugfixes/x_interlaced_chck.png", "IDAT: CRC error"},
      {"png_bugfixes/x_unexpected_eof.png", "damaged PNG file"},
      {"tiff_libtiffpic_depth/flower-minisblack-24.tif", "24 bits are not supported"},
      {"tiff_libtiffpic_depth/flower-rgb-contig-24.tif", "24 bits are not supported"},
      {"tiff_libtiffpic_depth/flower-rgb-planar-24.tif", "24 bits are not supported"},
      {"tiff_libtiffpic_depth/flower-separated-contig-16.tif", "cannot be decoded"},
      {"tiff_libtiffpic_depth/flower-separated-planar-16.tif", "cannot be decoded"},
      {"tiff_mixed/cmyk-3c-32b-float.tiff", "save it as RGB"}};
  return files;
}

enum class Expected { decodes, refused, either };

Expected expected_of(const ManifestFile& file) {
  const bool broken_png = file.name.starts_with("png_pngsuite/x");  // as PngSuite says
  if (file.foreign() || broken_png || refused().contains(file.name)) return Expected::refused;
  if (file.decodes) return Expected::decodes;
  // Pillow lacks what is odd, but whole: it is no measure for what can be read.
  return file.folder().starts_with("corrupt") ? Expected::either : Expected::decodes;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddressSanitizer = true;  // keeps what was freed, so that no limit would mean much
#elif defined(__has_feature)
constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kAddressSanitizer = false;
#endif

/// While it lives, the process may take so many bytes more, and pictures kMostPictureBytes.
class BoundedMemory {
 public:
  explicit BoundedMemory(rlim_t more) : picture_limit_(picture_limit()) {
    set_picture_limit(kMostPictureBytes);
    getrlimit(RLIMIT_AS, &before_);
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit bounded = before_;
    bounded.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more;
    if (!kAddressSanitizer) setrlimit(RLIMIT_AS, &bounded);
  }
  ~BoundedMemory() {
    setrlimit(RLIMIT_AS, &before_);
    set_picture_limit(picture_limit_);
  }
  BoundedMemory(const BoundedMemory&) = delete;
  BoundedMemory& operator=(const BoundedMemory&) = delete;

 private:
  std::int64_t picture_limit_;
  rlimit before_{};
};

// The picture, and as much again for how it is stored.
constexpr rlim_t kMostMemory = 2 * kMostPictureBytes;

/// The message of the refusal, empty if there was none, of a call that may take 5 s.
template <typename Call>
std::string timed_error_of(const ManifestFile& file, const Call& call) {
  const BoundedMemory bounded(kMostMemory);
  const double begin = processor_seconds();
  std::string failure = error_of(call);
  EXPECT_LT(processor_seconds() - begin, 5) << file.name;
  return failure;
}

void expect_one_clear_line(const ManifestFile& file, const std::string& failure) {
  EXPECT_THAT(failure, testing::StartsWith(file.path().string() + ": "));
  EXPECT_LT(failure.size(), file.path().string().size() + 300) << failure;
  for (const char c : failure) EXPECT_GE(static_cast<unsigned char>(c), 0x20u) << failure;
  // None was refused because memory ran out: they were, before it was taken.
  EXPECT_THAT(failure, testing::Not(testing::HasSubstr("memory"))) << file.name;
  if (file.foreign()) {
    EXPECT_THAT(failure, testing::HasSubstr("PNG, JPEG or TIFF was expected"));
  } else if (refused().contains(file.name)) {
    EXPECT_THAT(failure, testing::HasSubstr(refused().at(file.name)));
  }
}

void expect_size(const ManifestFile& file, const Image& image) {
  EXPECT_EQ(image_size(file.path()),
            (ImageSize{image.height(), image.width(), image.channels(), image.type()}))
      << file.name;
  if (!file.decodes) return;
  int height = file.height, width = file.width;  // as stored
  if (stored_form(file.path()).orientation > 4) std::swap(height, width);
  EXPECT_EQ(image.height(), height) << file.name;
  EXPECT_EQ(image.width(), width) << file.name;
}

class Robustness : public testing::TestWithParam<const char*> {};

TEST_P(Robustness, DecodesOrSaysWhyNotInTimeAndMemory) {
  int files = 0;
  testing::internal::CaptureStderr();
  for (const ManifestFile& file : manifest()) {
    if (file.folder() != GetParam()) continue;
    ++files;
    const std::string failure =
        timed_error_of(file, [&] { expect_size(file, read_image(file.path())); });
    const Expected expected = expected_of(file);
    if (expected != Expected::either) {
      EXPECT_EQ(failure.empty(), expected == Expected::decodes) << file.name << ' ' << failure;
    }
    if (!failure.empty()) expect_one_clear_line(file, failure);
    const std::string of_mask = timed_error_of(file, [&] { read_mask(file.path()); });
    EXPECT_EQ(of_mask.empty(), failure.empty()) << file.name << of_mask;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  if (files == 0) GTEST_SKIP() << robustness_folder() << " has no such folder";
}

constexpr const char* kFolders[] = {"colour_depth_modes",    "corrupt",      "corrupt_tiff_fuzz",
                                    "exif_orientation",      "geotiff",      "large",
                                    "png_bugfixes",          "png_pngsuite", "tiff_libtiffpic",
                                    "tiff_libtiffpic_depth", "tiff_mixed"};

INSTANTIATE_TEST_SUITE_P(Folders, Robustness, testing::ValuesIn(kFolders),
                         [](const auto& folder) { return std::string(folder.param); });

TEST(RobustnessManifest, IsCoveredWhole) {
  const std::vector<ManifestFile> files = manifest();
  if (files.empty()) GTEST_SKIP() << robustness_folder() << " is absent";
  EXPECT_GE(files.size(), 540u);
  const std::set<std::string> folders(std::begin(kFolders), std::end(kFolders));
  std::set<std::string> named;
  for (const ManifestFile& file : files) {
    EXPECT_TRUE(folders.contains(file.folder())) << file.name;
    named.insert(file.name);
  }
  for (const auto& [name, why] : refused()) EXPECT_TRUE(named.contains(name)) << name;
}

std::string samples_sha256(const Image& image) {
  Sha256 hash;
  for (int y = 0; y < image.height(); ++y) hash.add({image.row<char>(y), image.row_bytes()});
  return hash.digits();
}

/// The samples themselves, as Pillow has them: tests/golden/make_robustness_goldens.py.
TEST(RobustnessPixels, AreThoseOfPillow) {
  if (!fs::is_directory(robustness_folder())) GTEST_SKIP() << robustness_folder() << " is absent";
  const auto goldens =
      rows_of(fs::path(SEGMENTUM_SOURCE_DIR) / "tests/golden/robustness_pixels.csv");
  ASSERT_GE(goldens.size(), 200u);
  for (const std::vector<std::string>& golden : goldens) {
    EXPECT_EQ(samples_sha256(read_image(robustness_folder() / golden.at(0))), golden.at(1))
        << golden.at(0);
  }
}

/// What is over the limit as a whole can be read a rectangle at a time, in the same memory.
TEST(RobustnessPixels, AHugePictureIsReadInParts) {
  const fs::path file = robustness_folder() / "large/own_28800x21600_1bit_mask_g4.tif";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is absent";
  const BoundedMemory bounded(kMostMemory);
  const auto source = open_picture(file);
  EXPECT_EQ(source->size(), (ImageSize{21600, 28800, 1, PixelType::u8}));
  const Image part = source->read({10000, 14000, 64, 64});
  for (const std::uint8_t sample : samples_of<std::uint8_t>(part)) {
    ASSERT_TRUE(sample == 0 || sample == 255);
  }
}

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
