#include "data/picture_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "image/codec.h"
#include "image/stored_alpha.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Sums over the samples of each channel, in units of the full range.
struct Sums {
  std::vector<double> sum, squares;
  double pixels = 0;
  int channels = 0;  // alpha not counted
};

template <typename T>
Sums sums_of(const Image& image, double full_range) {
  const int channels = image.channels();
  Sums sums{std::vector<double>(channels), std::vector<double>(channels),
            static_cast<double>(image.height()) * image.width()};
  for (int y = 0; y < image.height(); ++y) {
    const T* row = image.row<T>(y);
    for (int c = 0; c < channels; ++c) {
      double sum = 0, squares = 0;
      for (int x = 0; x < image.width(); ++x) {
        const double value = row[static_cast<std::ptrdiff_t>(x) * channels + c];
        sum += value;
        squares += value * value;
      }
      sums.sum[c] += sum / full_range;
      sums.squares[c] += squares / (full_range * full_range);
    }
  }
  return sums;
}

Sums sums_of(const Image& image) {
  switch (image.type()) {
    case PixelType::u8:
      return sums_of<std::uint8_t>(image, 255);
    case PixelType::u16:
      return sums_of<std::uint16_t>(image, 65535);
    case PixelType::f32:
      break;
  }
  return sums_of<float>(image, 1);
}

/// To four decimals, and four digits where it is small: dark pictures of 16 bits must not lose
/// their contrast.
float rounded(double value) {
  const double digits = value > 0 ? 3 - std::floor(std::log10(value)) : 4;
  const double scale = std::pow(10, std::max(4.0, digits));
  return static_cast<float>(std::round(value * scale) / scale);
}

}  // namespace

PictureStatistics picture_statistics(const std::filesystem::path& root,
                                     std::span<const Sample> samples) {
  PictureStatistics statistics;
  statistics.least_height = statistics.least_width = std::numeric_limits<int>::max();
  std::vector<Sums> all;
  for (const Sample& sample : samples) {
    try {
      const Image image = read_image(root / sample.image);
      const int channels = image.channels() - (has_stored_alpha(root / sample.image) ? 1 : 0);
      statistics.channels = std::max(statistics.channels, channels);
      statistics.least_height = std::min(statistics.least_height, image.height());
      statistics.least_width = std::min(statistics.least_width, image.width());
      statistics.greatest_height = std::max(statistics.greatest_height, image.height());
      statistics.greatest_width = std::max(statistics.greatest_width, image.width());
      all.push_back(sums_of(image));
      all.back().channels = channels;
    } catch (const Error& error) {
      statistics.errors.push_back(error.what());
    }
  }
  for (int c = 0; c < statistics.channels; ++c) {
    double sum = 0, squares = 0, pixels = 0;
    for (const Sums& one : all) {
      const int source = one.channels == statistics.channels ? c : 0;
      sum += one.sum[source];
      squares += one.squares[source];
      pixels += one.pixels;
    }
    const double mean = sum / pixels;
    const float deviation = rounded(std::sqrt(std::max(0.0, squares / pixels - mean * mean)));
    statistics.mean.push_back(rounded(mean));
    statistics.std.push_back(deviation > 0 ? deviation : 1.0f);
  }
  return statistics;
}

}  // namespace segmentum
