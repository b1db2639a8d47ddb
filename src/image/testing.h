// What the tests of image/ share.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {

/// The message of the Error that `call` throws; empty if it throws none.
template <typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// A picture with these samples, row by row.
template <typename T>
Image make_image(int height, int width, int channels, std::initializer_list<T> samples) {
  constexpr PixelType type = sizeof(T) == 1   ? PixelType::u8
                             : sizeof(T) == 2 ? PixelType::u16
                                              : PixelType::f32;
  Image image(height, width, channels, type);
  T* next = image.row<T>(0);
  for (T sample : samples) *next++ = sample;
  return image;
}

/// All samples, row by row.
template <typename T>
std::vector<T> samples_of(const Image& image) {
  const T* first = image.row<T>(0);
  return {first, first + std::size_t{1} * image.height() * image.width() * image.channels()};
}

/// A path for a file that a test writes; each test has its own names.
inline std::filesystem::path temporary_file(const std::string& name) {
  const std::filesystem::path folder =
      std::filesystem::path(SEGMENTUM_BINARY_DIR) / "test_files" / "image";
  std::filesystem::create_directories(folder);
  return folder / name;
}

}  // namespace segmentum
