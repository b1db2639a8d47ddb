// Weights that keep a loss from being about the large classes alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segmentum {

enum class WeightRule { none, median_frequency, enet };

/// One weight for each class from the counts of a training split; ignored pixels are in no count.
/// `pixels_of_class[k]`: pixels labelled k. `pixels_of_images_with_class[k]`: all labelled pixels
/// of the pictures in which k occurs (used by the median rule only).
///
///   none              1
///   median_frequency  median(f) / f[k], f[k] = pixels_of_class[k] /
///   pixels_of_images_with_class[k];
///                     the median is over the classes that occur (the mean of the middle two).
///                     Eigen and Fergus, ICCV 2015; Badrinarayanan et al., SegNet, PAMI 2017.
///   enet              1 / ln(1.02 + p[k]), p[k] = pixels_of_class[k] / all labelled pixels.
///                     Paszke et al., 2016: weights lie between 1.42 and 50.5.
///
/// No weight exceeds `cap`. A class that never occurs weighs 1 under `none` and 0 otherwise: there
/// is nothing to learn of it. Throws Error if the counts disagree or the cap is not positive.
std::vector<float> class_weights(WeightRule rule, std::span<const std::int64_t> pixels_of_class,
                                 std::span<const std::int64_t> pixels_of_images_with_class,
                                 double cap);

}  // namespace segmentum
