// Whether one model is better than another on the same pictures, or chance would do as well.
#pragma once

#include <cstdint>
#include <span>

#include "metrics/bootstrap.h"

namespace segmentum {

struct PairedTestOptions {
  int permutations = 10000;
  BootstrapOptions bootstrap;  // of the interval; its seed is that of the permutations too
};

/// Two sets of results, b minus a.
struct PairedTest {
  PairedTestOptions options;
  double mean_iou = 0;  // the difference, of the whole split
  double pixel_accuracy = 0;
  ScoreInterval mean_iou_interval;
  ScoreInterval pixel_accuracy_interval;
  double p_value = 1;  // of the mean IoU, two-sided
};

/// A paired permutation test on the mean IoU of the split. If neither model is better, then the two
/// results of each picture might as well be exchanged: each permutation exchanges those of every
/// picture with probability one half, sums the counts and takes the difference again.
/// p = (1 + permutations at least as far from 0 as what was found) / (1 + permutations).
/// The intervals are percentile bootstraps that draw pictures with both of their results. As with
/// `bootstrap`, pictures that are alike make both too sure. `a[i]` and `b[i]` are counts of the
/// same picture. Throws Error if their numbers or classes differ, or without a picture.
/// O((permutations + resamples) * pictures * classes). Good, "Permutation, parametric and bootstrap
/// tests of hypotheses", 2005.
PairedTest paired_test(std::span<const PictureCounts> a, std::span<const PictureCounts> b,
                       const PairedTestOptions& options);

}  // namespace segmentum
