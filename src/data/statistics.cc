#include "data/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "segmentum/error.h"

namespace segmentum {
namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

void ClassFrequencies::add(const LabelMap& labels) {
  std::vector<std::int64_t> here(pixels.size());
  for (const std::uint16_t label : labels.labels()) {
    if (label == kIgnoreLabel) continue;
    if (label >= here.size()) {
      throw Error(fmt::format("label {} is no class; there are {}", label, here.size()));
    }
    ++here[label];
  }
  const std::int64_t labelled = std::accumulate(here.begin(), here.end(), std::int64_t{0});
  for (std::size_t k = 0; k < here.size(); ++k) {
    pixels[k] += here[k];
    if (here[k] > 0) picture_pixels[k] += labelled;
  }
}

ClassFrequencies class_frequencies(const Dataset& dataset, const std::string& split) {
  ClassFrequencies frequencies(dataset.class_count());
  for (const Sample& sample : dataset.split(split)) frequencies.add(read_labels(dataset, sample));
  return frequencies;
}

std::vector<float> median_frequency_weights(const ClassFrequencies& frequencies, double cap) {
  const std::size_t classes = frequencies.pixels.size();
  std::vector<double> frequency(classes), occurring;
  for (std::size_t k = 0; k < classes; ++k) {
    if (frequencies.pixels[k] == 0) continue;
    frequency[k] = static_cast<double>(frequencies.pixels[k]) /
                   static_cast<double>(frequencies.picture_pixels[k]);
    occurring.push_back(frequency[k]);
  }
  std::vector<float> weights(classes, 1.0f);
  if (occurring.empty()) return weights;
  const double middle = median(occurring);
  for (std::size_t k = 0; k < classes; ++k) {
    if (frequency[k] == 0) continue;
    const double weight = middle / frequency[k];
    weights[k] = static_cast<float>(cap > 0 ? std::min(weight, cap) : weight);
  }
  return weights;
}

std::vector<float> enet_weights(const ClassFrequencies& frequencies) {
  const auto all = static_cast<double>(
      std::accumulate(frequencies.pixels.begin(), frequencies.pixels.end(), std::int64_t{0}));
  std::vector<float> weights;
  for (const std::int64_t pixels : frequencies.pixels) {
    const double share = all > 0 ? static_cast<double>(pixels) / all : 0;
    weights.push_back(static_cast<float>(1 / std::log(1.02 + share)));
  }
  return weights;
}

}  // namespace segmentum
