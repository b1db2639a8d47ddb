#include "data/statistics.h"

#include <fmt/format.h>

#include <numeric>

#include "segmentum/error.h"

namespace segmentum {

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

}  // namespace segmentum
