#include "configure/orientation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace segmentum {
namespace {

constexpr double kSure = 3;                 // standard errors
constexpr double kLabelDifference = 0.05;   // of the pixels of a half
constexpr double kLightDifference = 0.1;    // of the light of both
constexpr double kBorderDifference = 0.18;  // ln 1.2
constexpr std::int64_t kFewestSteps = 20;   // between labels, for a ratio to mean something

/// The part of the labelled pixels of rows [from, to) that each class has; empty: none is labelled.
std::vector<double> shares(const LabelMap& labels, int from, int to, std::size_t classes) {
  std::vector<double> pixels(classes);
  for (int y = from; y < to; ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (labels(y, x) < classes) ++pixels[labels(y, x)];
    }
  }
  const double labelled = std::accumulate(pixels.begin(), pixels.end(), 0.0);
  if (labelled == 0) return {};
  for (double& share : pixels) share /= labelled;
  return pixels;
}

template <typename T>
double light_of(ImageView image, int from, int to) {
  double sum = 0;
  for (int y = from; y < to; ++y) {
    const T* row = image.row<T>(y);
    sum =
        std::accumulate(row, row + static_cast<std::ptrdiff_t>(image.width) * image.channels, sum);
  }
  return sum;
}

double light_of(ImageView image, int from, int to) {
  if (image.type == PixelType::u8) return light_of<std::uint8_t>(image, from, to);
  if (image.type == PixelType::u16) return light_of<std::uint16_t>(image, from, to);
  return light_of<float>(image, from, to);
}

/// Neighbours that differ: one below the other, one beside the other.
struct Steps {
  std::int64_t down = 0, along = 0;
};

Steps steps_of(const LabelMap& labels) {
  const auto differ = [](std::uint16_t a, std::uint16_t b) {
    return a != b && a != kIgnoreLabel && b != kIgnoreLabel;
  };
  Steps steps;
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (y > 0) steps.down += differ(labels(y, x), labels(y - 1, x));
      if (x > 0) steps.along += differ(labels(y, x), labels(y, x - 1));
    }
  }
  return steps;
}

}  // namespace

bool Tendency::exceeds(double least) const {
  return std::abs(mean) >= least && std::abs(errors) >= kSure;
}

Tendency tendency(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (n < 2) return {};
  Tendency result{.mean = std::accumulate(values.begin(), values.end(), 0.0) / n};
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  const double error = std::sqrt(squares / (n - 1) / n);
  // All alike: certain, unless there is nothing.
  const double certain = result.mean == 0 ? 0 : std::numeric_limits<double>::infinity();
  result.errors = error > 0 ? result.mean / error : std::copysign(certain, result.mean);
  return result;
}

bool Orientation::has_up() const {
  return labels.exceeds(kLabelDifference) || light.exceeds(kLightDifference);
}

bool Orientation::has_axis() const {
  return borders.exceeds(kBorderDifference);
}

void OrientationSurvey::add(ImageView image, const LabelMap& labels) {
  ++pictures_;
  const int height = labels.height(), half = height / 2;
  const std::vector<double> upper = shares(labels, 0, half, shares_.size());
  const std::vector<double> lower = shares(labels, height - half, height, shares_.size());
  if (!upper.empty() && !lower.empty()) {
    for (std::size_t k = 0; k < shares_.size(); ++k) shares_[k].push_back(upper[k] - lower[k]);
  }
  const double above = light_of(image, 0, half), below = light_of(image, height - half, height);
  const double both = std::abs(above) + std::abs(below);
  if (both > 0) light_.push_back((above - below) / both);
  const Steps steps = steps_of(labels);
  if (steps.down + steps.along >= kFewestSteps) {
    borders_.push_back(
        std::log(static_cast<double>(steps.down + 1) / static_cast<double>(steps.along + 1)));
  }
}

Orientation OrientationSurvey::result() const {
  Orientation result{.pictures = pictures_};
  for (std::size_t k = 0; k < shares_.size(); ++k) {
    const Tendency of_class = tendency(shares_[k]);
    if (std::abs(of_class.mean) < kLabelDifference) continue;
    if (std::abs(of_class.errors) <= std::abs(result.labels.errors)) continue;
    result.labels = of_class;
    result.labels_class = static_cast<int>(k);
  }
  result.light = tendency(light_);
  result.borders = tendency(borders_);
  return result;
}

}  // namespace segmentum
