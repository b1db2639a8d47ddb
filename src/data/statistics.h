// How often each class occurs, and the class weights that follow.
#pragma once

#include <cstdint>
#include <span>
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

/// Median frequency balancing: median(f) / f_k with f_k = pixels / picture_pixels, the median over
/// the classes that occur; at most `cap` if that is above 0. Classes that never occur get 1.
/// Eigen and Fergus, ICCV 2015.
std::vector<float> median_frequency_weights(const ClassFrequencies& frequencies, double cap = 0);

/// 1 / ln(1.02 + p_k) with p_k the class's share of all labelled pixels. Paszke et al., ENet, 2016.
std::vector<float> enet_weights(const ClassFrequencies& frequencies);

}  // namespace segmentum
