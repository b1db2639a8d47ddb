// What the tests of data/ share: folders of tiny pictures, made by the test itself.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "base/file.h"
#include "image/codec.h"
#include "image/testing.h"
#include "segmentum/image.h"

namespace segmentum {

/// An empty folder for one test, gone after it; a test may have several.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int made = 0;
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("segmentum_") + test->test_suite_name() + "_" + test->name() + "_" +
             std::to_string(::getpid()) + "_" + std::to_string(made++));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// A grey PNG of one row of these values.
  void grey(const std::string& name, std::initializer_list<int> values) const {
    Image image(1, static_cast<int>(values.size()), 1);
    auto* out = image.row<std::uint8_t>(0);
    for (const int value : values) *out++ = static_cast<std::uint8_t>(value);
    png(name, image);
  }
  /// An RGB PNG of one row of these colours.
  void colours(const std::string& name, std::initializer_list<Rgb> values) const {
    Image image(1, static_cast<int>(values.size()), 3);
    auto* out = image.row<std::uint8_t>(0);
    for (const Rgb colour : values) {
      *out++ = colour.r;
      *out++ = colour.g;
      *out++ = colour.b;
    }
    png(name, image);
  }
  /// A palette PNG with VOC's colours, one row of these indices.
  void palette(const std::string& name, std::initializer_list<int> indices) const {
    LabelMap labels(1, static_cast<int>(indices.size()));
    auto* out = labels.row(0);
    int most = 0;
    for (const int index : indices) {
      *out++ = index == 255 ? kIgnoreLabel : static_cast<std::uint16_t>(index);
      if (index != 255) most = std::max(most, index);
    }
    std::filesystem::create_directories((path_ / name).parent_path());
    write_label_png(path_ / name, labels, Palette::voc(most + 1));
  }
  void png(const std::string& name, ImageView image) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    write_png(path_ / name, image);
  }
  void jpeg(const std::string& name, ImageView image) const {
    write_file(path_ / name, encode_jpeg(image));
  }
  void text(const std::string& name, const std::string& content) const {
    write_file(path_ / name, content);
  }

 private:
  std::filesystem::path path_;
};

/// The folder `name` of the real data: below SEGMENTUM_DATA, or ../shared/data beside the sources.
inline std::filesystem::path real_data(const std::string& name) {
  if (const char* folder = std::getenv("SEGMENTUM_DATA"))
    return std::filesystem::path(folder) / name;
  return std::filesystem::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "data" / name;
}

}  // namespace segmentum
