#include "image/colour.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "image/sample.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Luminance of ITU-R BT.601, as in PNG, JPEG and torchvision.
constexpr double kLuminance[3] = {0.299, 0.587, 0.114};

int channels_without_alpha(int channels) {
  return channels == 2 || channels == 4 ? channels - 1 : channels;
}

void check_factor(const char* name, double factor) {
  if (!(factor >= 0) || !std::isfinite(factor)) {
    throw Error(fmt::format("{} is {}; a finite value of at least 0 was expected", name, factor));
  }
}

using Matrix3 = std::array<std::array<double, 3>, 3>;

Matrix3 operator*(const Matrix3& a, const Matrix3& b) {
  Matrix3 product{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 3; ++k) product[i][j] += a[i][k] * b[k][j];
    }
  }
  return product;
}

/// grey + saturation * (colour - grey).
Matrix3 saturation_matrix(double saturation) {
  Matrix3 m{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) m[i][j] = (1 - saturation) * kLuminance[j];
    m[i][i] += saturation;
  }
  return m;
}

/// Rotation of the I-Q plane; Y, the luminance, stays.
Matrix3 hue_matrix(double turns) {
  if (turns == 0) return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  constexpr Matrix3 kToYiq = {{{kLuminance[0], kLuminance[1], kLuminance[2]},
                               {0.5959, -0.2746, -0.3213},
                               {0.2115, -0.5227, 0.3112}}};
  // The inverse, to more digits than float holds, so that a small turn is a small change.
  constexpr Matrix3 kFromYiq = {{{1, 0.956050226396, 0.620754941327},
                                 {1, -0.272052343689, -0.647205713455},
                                 {1, -1.106704315324, 1.704421283696}}};
  const double angle = -2 * std::numbers::pi * turns;  // from red to green in I-Q
  const Matrix3 rotation = {
      {{1, 0, 0}, {0, std::cos(angle), -std::sin(angle)}, {0, std::sin(angle), std::cos(angle)}}};
  return kFromYiq * rotation * kToYiq;
}

template <typename T>
double mean_grey(const Image& image) {
  const int channels = image.channels();
  const int used = channels_without_alpha(channels);
  double total = 0;
  for (int y = 0; y < image.height(); ++y) {
    const T* pixel = image.row<T>(y);
    std::array<double, 3> sums{};  // by channel for RGB, all in the first otherwise
    for (int x = 0; x < image.width(); ++x, pixel += channels) {
      for (int c = 0; c < used; ++c) sums[used == 3 ? c : 0] += pixel[c];
    }
    if (used == 3) {
      for (int c = 0; c < 3; ++c) total += kLuminance[c] * sums[c];
    } else {
      total += sums[0] / used;
    }
  }
  return total / (static_cast<double>(image.height()) * image.width());
}

/// value -> scale * value + offset.
template <typename T>
void jitter_bands(Image& image, float scale, float offset) {
  const int used = channels_without_alpha(image.channels());
  for (int y = 0; y < image.height(); ++y) {
    T* pixel = image.row<T>(y);
    for (int x = 0; x < image.width(); ++x, pixel += image.channels()) {
      for (int c = 0; c < used; ++c) pixel[c] = to_sample<T>(scale * pixel[c] + offset);
    }
  }
}

/// colour -> matrix * colour + offset.
template <typename T>
void jitter_rgb(Image& image, const Matrix3& matrix, float offset) {
  float m[9];
  for (int i = 0; i < 9; ++i) m[i] = static_cast<float>(matrix[i / 3][i % 3]);
  for (int y = 0; y < image.height(); ++y) {
    T* pixel = image.row<T>(y);
    for (int x = 0; x < image.width(); ++x, pixel += image.channels()) {
      const float r = pixel[0], g = pixel[1], b = pixel[2];
      pixel[0] = to_sample<T>(m[0] * r + m[1] * g + m[2] * b + offset);
      pixel[1] = to_sample<T>(m[3] * r + m[4] * g + m[5] * b + offset);
      pixel[2] = to_sample<T>(m[6] * r + m[7] * g + m[8] * b + offset);
    }
  }
}

struct Range {
  float low = 0;
  float high = 1;
};

/// The least and the greatest finite sample among the first `used` channels; 0..0 if there is none.
template <typename T>
Range min_max(ImageView image, int used) {
  Range range{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  for (int y = 0; y < image.height; ++y) {
    const T* pixel = image.row<T>(y);
    for (int x = 0; x < image.width; ++x, pixel += image.channels) {
      for (int c = 0; c < used; ++c) {
        const float value = pixel[c];
        if (!std::isfinite(value)) continue;
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
      }
    }
  }
  return range.low <= range.high ? range : Range{0, 0};
}

/// low + (high - low) * ((value - low) / (high - low)) ^ gamma.
template <typename T>
void apply_gamma(Image& image, double gamma) {
  const int used = channels_without_alpha(image.channels());
  const auto change = [&](const auto& curve) {
    for (int y = 0; y < image.height(); ++y) {
      T* pixel = image.row<T>(y);
      for (int x = 0; x < image.width(); ++x, pixel += image.channels()) {
        for (int c = 0; c < used; ++c) pixel[c] = curve(pixel[c]);
      }
    }
  };
  if constexpr (std::is_same_v<T, float>) {
    const Range range = min_max<float>(image, used);
    const float width = range.high - range.low;
    if (width <= 0) return;
    const float exponent = static_cast<float>(gamma);
    change([&](float value) {
      return range.low + width * std::pow((value - range.low) / width, exponent);
    });
  } else {
    std::vector<T> table(static_cast<std::size_t>(kFullScale<T>) + 1);
    for (std::size_t i = 0; i < table.size(); ++i) {
      const double shown = kFullScale<T> * std::pow(i / double{kFullScale<T>}, gamma);
      table[i] = to_sample<T>(static_cast<float>(shown));
    }
    change([&](T value) { return table[value]; });
  }
}

constexpr int kNoiseLevels = 4096;

double normal_probability(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

/// The middle quantiles of 4096 equal slices of the normal distribution, scaled to variance 1.
std::array<float, kNoiseLevels> make_noise_table() {
  std::array<float, kNoiseLevels> table{};
  double squares = 0;
  for (int i = 0; i < kNoiseLevels; ++i) {
    const double probability = (i + 0.5) / kNoiseLevels;
    double low = -5, high = 5;
    while (high - low > 1e-9) {
      const double middle = 0.5 * (low + high);
      (normal_probability(middle) < probability ? low : high) = middle;
    }
    table[i] = static_cast<float>(low);
    squares += low * low;
  }
  const double scale = 1 / std::sqrt(squares / kNoiseLevels);
  for (float& value : table) value = static_cast<float>(value * scale);
  return table;
}

std::vector<float> gaussian_weights(double sigma_px) {
  const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma_px)));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) {
    weights.push_back(std::exp(-0.5 * i * i / (sigma_px * sigma_px)));
    sum += weights.back();
  }
  std::vector<float> normalised;
  for (double weight : weights) normalised.push_back(static_cast<float>(weight / sum));
  return normalised;
}

/// cba|abc|cba.
int reflected_index(int i, int size) {
  const int period = 2 * size;
  i = ((i % period) + period) % period;
  return i < size ? i : period - 1 - i;
}

template <typename T>
void blur_row(const std::vector<float>& column_sums, const std::vector<float>& weights, int width,
              int channels, int used, T* out) {
  const int radius = static_cast<int>(weights.size()) / 2;
  std::vector<float> padded(static_cast<std::size_t>(width + 2 * radius) * channels);
  for (int x = -radius; x < width + radius; ++x) {
    std::copy_n(column_sums.data() + static_cast<std::size_t>(reflected_index(x, width)) * channels,
                channels, padded.data() + static_cast<std::size_t>(x + radius) * channels);
  }
  std::vector<float> sums(static_cast<std::size_t>(width) * channels);
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const float* from = padded.data() + k * channels;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weights[k] * from[i];
  }
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < used; ++c) {
      out[x * channels + c] = to_sample<T>(sums[static_cast<std::size_t>(x) * channels + c]);
    }
  }
}

template <typename T>
void blur(ImageView image, const std::vector<float>& weights, Image& blurred) {
  const int radius = static_cast<int>(weights.size()) / 2;
  const int used = channels_without_alpha(image.channels);
  const std::size_t count = static_cast<std::size_t>(image.width) * image.channels;
  std::vector<float> column_sums(count);
  for (int y = 0; y < image.height; ++y) {
    std::fill(column_sums.begin(), column_sums.end(), 0.0f);
    for (int k = -radius; k <= radius; ++k) {
      const T* row = image.row<T>(reflected_index(y + k, image.height));
      const float weight = weights[k + radius];
      for (std::size_t i = 0; i < count; ++i) column_sums[i] += weight * row[i];
    }
    blur_row(column_sums, weights, image.width, image.channels, used, blurred.row<T>(y));
  }
}

Image copy_of(ImageView image) {
  Image copy(image.height, image.width, image.channels, image.type);
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(image.row<std::byte>(y), copy.row_bytes(), copy.row<std::byte>(y));
  }
  return copy;
}

}  // namespace

void jitter_colours(Image& image, const ColourJitter& jitter) {
  check_factor("brightness", jitter.brightness);
  check_factor("contrast", jitter.contrast);
  check_factor("saturation", jitter.saturation);
  if (!(jitter.gamma > 0)) {
    throw Error(fmt::format("gamma is {}; a positive value was expected", jitter.gamma));
  }
  with_sample_type(image.type(), [&]<typename T>(T) {
    const double scale = jitter.brightness * jitter.contrast;
    const double offset =
        jitter.contrast == 1 ? 0 : (1 - jitter.contrast) * jitter.brightness * mean_grey<T>(image);
    if (channels_without_alpha(image.channels()) == 3 &&
        (jitter.saturation != 1 || jitter.hue_turns != 0)) {
      // Both keep greys, so the offset of the contrast, a grey, may be added after them.
      Matrix3 matrix = hue_matrix(jitter.hue_turns) * saturation_matrix(jitter.saturation);
      for (auto& row : matrix) {
        for (double& weight : row) weight *= scale;
      }
      jitter_rgb<T>(image, matrix, static_cast<float>(offset));
    } else if (scale != 1 || offset != 0) {
      jitter_bands<T>(image, static_cast<float>(scale), static_cast<float>(offset));
    }
    if (jitter.gamma != 1) apply_gamma<T>(image, jitter.gamma);
  });
}

void add_gaussian_noise(Image& image, double sigma, RandomStream& random) {
  check_factor("the noise's sigma", sigma);
  if (sigma == 0) return;
  static const std::array<float, kNoiseLevels> table = make_noise_table();
  const int used = channels_without_alpha(image.channels());
  with_sample_type(image.type(), [&]<typename T>(T) {
    const float scale = static_cast<float>(sigma * kFullScale<T>);
    for (int y = 0; y < image.height(); ++y) {
      T* pixel = image.row<T>(y);
      for (int x = 0; x < image.width(); ++x, pixel += image.channels()) {
        for (int c = 0; c < used; ++c) {
          pixel[c] = to_sample<T>(pixel[c] + scale * table[random.bits() % kNoiseLevels]);
        }
      }
    }
  });
}

Image gaussian_blur(ImageView image, double sigma_px) {
  check_factor("the blur's sigma", sigma_px);
  Image blurred = copy_of(image);
  if (sigma_px == 0) return blurred;
  const std::vector<float> weights = gaussian_weights(sigma_px);
  with_sample_type(image.type, [&]<typename T>(T) { blur<T>(image, weights, blurred); });
  return blurred;
}

Image to_rgb(ImageView image, DisplayRange range) {
  Image rgb(image.height, image.width, 3);
  const int shown = image.channels >= 3 ? 3 : 1;
  with_sample_type(image.type, [&]<typename T>(T) {
    const bool full = range == DisplayRange::full ||
                      (range == DisplayRange::automatic && std::is_same_v<T, std::uint8_t>);
    const Range black_white = full ? Range{0, kFullScale<T>} : min_max<T>(image, shown);
    const float width = black_white.high - black_white.low;
    const float scale = width > 0 ? 255.0f / width : 0.0f;
    for (int y = 0; y < image.height; ++y) {
      const T* from = image.row<T>(y);
      auto* to = rgb.row<std::uint8_t>(y);
      for (int x = 0; x < image.width; ++x, from += image.channels, to += 3) {
        for (int c = 0; c < 3; ++c) {
          to[c] = to_sample<std::uint8_t>((from[shown == 3 ? c : 0] - black_white.low) * scale);
        }
      }
    }
  });
  return rgb;
}

Image first_channels(ImageView image, int channels) {
  if (channels < 1 || channels > image.channels) {
    throw Error(fmt::format("the first {} channels of a picture of {} were asked for", channels,
                            image.channels));
  }
  Image bare(image.height, image.width, channels, image.type);
  const std::size_t from = sample_bytes(image.type) * image.channels;
  const std::size_t to = sample_bytes(image.type) * channels;
  for (int y = 0; y < image.height; ++y) {
    const auto* in = image.row<std::byte>(y);
    auto* out = bare.row<std::byte>(y);
    for (int x = 0; x < image.width; ++x) std::copy_n(in + x * from, to, out + x * to);
  }
  return bare;
}

}  // namespace segmentum
