// How often each class occurs in the masks of a split.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// Labelled pixels, counted over a split; ignored ones count nowhere.
struct ClassFrequencies {
  std::vector<std::int64_t> pixels;          // of each class
  std::vector<std::int64_t> picture_pixels;  // of all classes, in the pictures that show the class

  explicit ClassFrequencies(int classes) : pixels(classes), picture_pixels(classes) {}
  /// Counts one picture's labels. Throws Error for a label that is no class.
  void add(const LabelMap& labels);
};

/// Counts the masks of a split; reads all of them.
ClassFrequencies class_frequencies(const Dataset& dataset, const std::string& split);

}  // namespace segmentum
