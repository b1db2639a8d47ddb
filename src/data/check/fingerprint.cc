#include "data/check/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "image/colour.h"
#include "image/resize.h"

namespace segmentum {
namespace {

constexpr int kSide = Fingerprint::kSide;
constexpr int kCosines = 8;
constexpr int kLeastSide = 16, kGreatestSide = 64;  // that pictures are compared at

/// Rec. 601 luma [height, width] of the picture, its area averaged where it shrinks.
std::vector<float> grey_means(ImageView picture, int height, int width) {
  const Image small = to_rgb(resize(picture, height, width, {.antialias = true}));
  std::vector<float> grey;
  grey.reserve(static_cast<std::size_t>(height) * width);
  for (int y = 0; y < height; ++y) {
    const auto* pixel = small.row<std::uint8_t>(y);
    for (int x = 0; x < width; ++x, pixel += 3) {
      grey.push_back(0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]);
    }
  }
  return grey;
}

/// Where pixel (y, x) of a square picture so changed is taken from.
std::pair<int, int> source_of(int y, int x, Symmetry symmetry, int side) {
  if ((symmetry & 4) != 0) y = side - 1 - y;
  if ((symmetry & 2) != 0) x = side - 1 - x;
  return (symmetry & 1) != 0 ? std::pair{x, y} : std::pair{y, x};
}

/// A square [side, side], changed.
template <typename Values>
std::vector<float> changed(const Values& square, int side, Symmetry symmetry) {
  std::vector<float> result;
  result.reserve(square.size());
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const auto [from_y, from_x] = source_of(y, x, symmetry, side);
      result.push_back(
          static_cast<float>(square[static_cast<std::size_t>(from_y) * side + from_x]));
    }
  }
  return result;
}

using CosineTable = std::array<std::array<float, kSide>, kCosines>;

const CosineTable& cosine_table() {
  static const CosineTable table = [] {
    CosineTable made{};
    for (int k = 0; k < kCosines; ++k) {
      for (int x = 0; x < kSide; ++x) {
        made[k][x] = static_cast<float>(std::cos(std::numbers::pi * k * (x + 0.5) / kSide));
      }
    }
    return made;
  }();
  return table;
}

using Cosines = std::array<float, std::size_t{kCosines} * kCosines>;

/// The lowest coefficients of a discrete cosine transform of type II, not normalised.
Cosines lowest_cosines(const std::vector<float>& grey) {
  const CosineTable& table = cosine_table();
  std::array<std::array<float, kCosines>, kSide> rows{};
  for (int y = 0; y < kSide; ++y) {
    for (int k = 0; k < kCosines; ++k) {
      for (int x = 0; x < kSide; ++x) {
        rows[y][k] += table[k][x] * grey[static_cast<std::size_t>(y) * kSide + x];
      }
    }
  }
  Cosines cosines{};
  for (int j = 0; j < kCosines; ++j) {
    for (int k = 0; k < kCosines; ++k) {
      for (int y = 0; y < kSide; ++y) {
        cosines[static_cast<std::size_t>(j) * kCosines + k] += table[j][y] * rows[y][k];
      }
    }
  }
  return cosines;
}

std::uint64_t hash_of(const std::vector<float>& grey) {
  const Cosines cosines = lowest_cosines(grey);
  std::array<float, cosines.size() - 1> sorted{};  // the constant says nothing
  std::copy(cosines.begin() + 1, cosines.end(), sorted.begin());
  std::ranges::nth_element(sorted, sorted.begin() + sorted.size() / 2);
  const float median = sorted[sorted.size() / 2];
  std::uint64_t hash = 0;
  for (std::size_t i = 1; i < cosines.size(); ++i) {
    hash |= std::uint64_t{cosines[i] > median} << i;
  }
  return hash;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments_of(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += value;
    squares += double{value} * value;
  }
  const auto n = static_cast<double>(values.size());
  return {sum / n, std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)))};
}

/// a - (gain * b + offset) with the gain and offset of least squares; the gain stays near 1, so
/// that no picture fits another by being flattened.
std::vector<float> residual(const std::vector<float>& a, const std::vector<float>& b) {
  constexpr double kLeastGain = 0.8, kGreatestGain = 1.25;
  const Moments of_a = moments_of(a), of_b = moments_of(b);
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += (a[i] - of_a.mean) * (b[i] - of_b.mean);
  }
  const double variance = of_b.deviation * of_b.deviation * static_cast<double>(b.size());
  const double gain = variance > 0 ? std::clamp(product / variance, kLeastGain, kGreatestGain) : 1;
  std::vector<float> left(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    left[i] = static_cast<float>(a[i] - of_a.mean - gain * (b[i] - of_b.mean));
  }
  return left;
}

double root_mean_square(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

std::string symmetry_text(Symmetry symmetry) {
  constexpr std::array<const char*, kSymmetries> kTexts = {"",
                                                           "mirrored along its diagonal",
                                                           "mirrored",
                                                           "turned by 90 degrees",
                                                           "mirrored upside down",
                                                           "turned by 90 degrees",
                                                           "turned by 180 degrees",
                                                           "mirrored along its diagonal"};
  return kTexts[static_cast<std::size_t>(symmetry)];
}

Fingerprint fingerprint(ImageView picture) {
  Fingerprint print;
  const std::vector<float> grey = grey_means(picture, kSide, kSide);
  std::ranges::transform(grey, print.grey.begin(),
                         [](float value) { return static_cast<std::uint8_t>(std::lround(value)); });
  print.contrast = static_cast<float>(moments_of(grey).deviation);
  for (Symmetry symmetry = 0; symmetry < kSymmetries; ++symmetry) {
    print.hashes[static_cast<std::size_t>(symmetry)] = hash_of(changed(grey, kSide, symmetry));
  }
  return print;
}

int hash_distance(const Fingerprint& a, const Fingerprint& b, Symmetry symmetry) {
  return std::popcount(a.hashes[kUnchanged] ^ b.hashes[static_cast<std::size_t>(symmetry)]);
}

double grey_difference(const Fingerprint& a, const Fingerprint& b, Symmetry symmetry) {
  return root_mean_square(
      residual({a.grey.begin(), a.grey.end()}, changed(b.grey, kSide, symmetry)));
}

PictureDifference picture_difference(ImageView a, ImageView b, Symmetry symmetry) {
  constexpr std::size_t kRare = 500;
  // A quarter, where compression leaves little noise.
  const int side =
      std::clamp(std::min({a.height, a.width, b.height, b.width}) / 4, kLeastSide, kGreatestSide);
  std::vector<float> left =
      residual(grey_means(a, side, side), changed(grey_means(b, side, side), side, symmetry));
  const double rms = root_mean_square(left);
  for (float& value : left) value = std::abs(value);
  const auto place = left.end() - 1 - static_cast<std::ptrdiff_t>(left.size() / kRare);
  std::nth_element(left.begin(), place, left.end());
  return {rms, *place};
}

bool is_same_picture(const PictureDifference& difference) {
  return difference.rms <= 2.5 && difference.worst <= 10;
}

bool is_copy(const PictureDifference& difference) {
  return difference.rms <= 1 && difference.worst <= 5;
}

}  // namespace segmentum
