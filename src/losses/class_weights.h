// Weights that keep a loss from being about the large classes alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace segmentum {

enum class WeightRule { none, median_frequency, enet, effective_number };

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
///   effective_number  (1 - beta) / (1 - beta^pixels_of_class[k]), scaled so that the weights of
///                     the classes that occur have the mean 1. Cui et al., CVPR 2019. They count
///                     pictures, of which a class has thousands; of pixels it has millions, so that
///                     their beta (0.9999) would weigh all alike. Without `beta` it is 1 - 1/n for
///                     a mean of n pixels a class: rarer classes weigh about 1 / their pixels,
///                     commoner ones hardly less than the mean.
///
/// No weight exceeds `cap`. A class that never occurs weighs 1 under `none` and 0 otherwise: there
/// is nothing to learn of it. Throws Error if the counts disagree, the cap is not positive, or beta
/// not in [0, 1).
std::vector<float> class_weights(WeightRule rule, std::span<const std::int64_t> pixels_of_class,
                                 std::span<const std::int64_t> pixels_of_images_with_class,
                                 double cap, std::optional<double> beta = std::nullopt);

}  // namespace segmentum
