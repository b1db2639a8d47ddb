#include "losses/class_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Counts = std::span<const std::int64_t>;

void check(Counts pixels_of_class, Counts pixels_of_images_with_class, double cap) {
  if (!(cap > 0)) throw Error(fmt::format("the cap on class weights is {}; it must be > 0", cap));
  if (pixels_of_class.size() != pixels_of_images_with_class.size()) {
    throw Error(
        fmt::format("pixel counts of {} classes but picture counts of {}; both need one "
                    "entry for each class",
                    pixels_of_class.size(), pixels_of_images_with_class.size()));
  }
  for (std::size_t k = 0; k < pixels_of_class.size(); ++k) {
    if (pixels_of_class[k] < 0 || pixels_of_class[k] > pixels_of_images_with_class[k]) {
      throw Error(fmt::format(
          "class {} has {} pixels, but the pictures in which it occurs have {} labelled ones", k,
          pixels_of_class[k], pixels_of_images_with_class[k]));
    }
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> median_frequency(Counts pixels_of_class, Counts pixels_of_images_with_class) {
  std::vector<double> frequency(pixels_of_class.size(), 0.0);
  std::vector<double> present;
  for (std::size_t k = 0; k < frequency.size(); ++k) {
    if (pixels_of_class[k] == 0) continue;
    frequency[k] = static_cast<double>(pixels_of_class[k]) /
                   static_cast<double>(pixels_of_images_with_class[k]);
    present.push_back(frequency[k]);
  }
  const double middle = median(std::move(present));
  for (double& f : frequency) f = f > 0 ? middle / f : 0;
  return frequency;
}

std::vector<double> enet(Counts pixels_of_class) {
  const auto total = static_cast<double>(
      std::accumulate(pixels_of_class.begin(), pixels_of_class.end(), std::int64_t{0}));
  std::vector<double> weights;
  for (std::int64_t pixels : pixels_of_class) {
    weights.push_back(pixels > 0 ? 1 / std::log(1.02 + static_cast<double>(pixels) / total) : 0);
  }
  return weights;
}

std::vector<double> effective_number(Counts pixels_of_class, std::optional<double> given) {
  double pixels = 0, present = 0;
  for (const std::int64_t count : pixels_of_class) {
    pixels += static_cast<double>(count);
    present += count > 0;
  }
  std::vector<double> weights(pixels_of_class.size(), 0.0);
  if (present == 0) return weights;
  // beta = 1 - rest; powers of a beta so near 1 are taken by its logarithm.
  const double rest = given ? 1 - *given : present / pixels;
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    if (pixels_of_class[k] == 0) continue;
    const double log_power = static_cast<double>(pixels_of_class[k]) * std::log1p(-rest);
    weights[k] = rest / -std::expm1(log_power);
    sum += weights[k];
  }
  for (double& weight : weights) weight *= present / sum;
  return weights;
}

}  // namespace

std::vector<float> class_weights(WeightRule rule, Counts pixels_of_class,
                                 Counts pixels_of_images_with_class, double cap,
                                 std::optional<double> beta) {
  check(pixels_of_class, pixels_of_images_with_class, cap);
  if (beta && !(*beta >= 0 && *beta < 1)) {
    throw Error(
        fmt::format("the beta of class weights is {}; it must be from 0 to below 1", *beta));
  }
  std::vector<double> weights(pixels_of_class.size(), 1.0);
  if (rule == WeightRule::median_frequency) {
    weights = median_frequency(pixels_of_class, pixels_of_images_with_class);
  } else if (rule == WeightRule::enet) {
    weights = enet(pixels_of_class);
  } else if (rule == WeightRule::effective_number) {
    weights = effective_number(pixels_of_class, beta);
  }
  std::vector<float> capped;
  for (double weight : weights) capped.push_back(static_cast<float>(std::min(weight, cap)));
  return capped;
}

}  // namespace segmentum
