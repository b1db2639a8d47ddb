// How far scores would move with other pictures of the same kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "metrics/confusion_matrix.h"

namespace segmentum {

/// The counts of one picture, an entry for each class.
using PictureCounts = std::vector<ClassCounts>;

struct ScoreInterval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  int resamples = 1000;
  double level = 0.95;  // of the intervals
  std::uint64_t seed = 1;
};

/// An interval for each score of a split.
struct ScoreIntervals {
  BootstrapOptions options;
  ScoreInterval pixel_accuracy;
  ScoreInterval mean_accuracy;
  ScoreInterval mean_iou;
  ScoreInterval frequency_weighted_iou;
  ScoreInterval mean_dice;
  std::vector<std::optional<ScoreInterval>>
      iou;  // of each class; empty where no resample scores it
};

/// Percentile bootstrap over pictures: each resample draws as many pictures as there are, with
/// replacement, sums their counts and takes the scores of the sum; the intervals leave out
/// (1 - level) / 2 of the resamples at either end. They say nothing of what another training or
/// another kind of pictures would give, and pictures of one video or slide, which are alike, make
/// them too narrow. Same bits for any thread count. Throws Error without a picture, if pictures
/// have different classes, or for options that make no sense. O(resamples * pictures * classes).
/// Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
ScoreIntervals bootstrap(std::span<const PictureCounts> pictures, const BootstrapOptions& options);

/// The same for the mean of a score that each picture has of its own.
ScoreInterval bootstrap_mean(std::span<const double> of_pictures, const BootstrapOptions& options);

/// Scores that follow from the pictures of these numbers, of which some come several times; each is
/// empty where they have none.
using ResampleScores =
    std::function<std::vector<std::optional<double>>(std::span<const std::uint32_t> drawn)>;

/// The same for whatever follows from several pictures, numbered from 0: an interval for each score
/// that `score` returns, in its order, from the resamples that have it; empty where none has.
/// `score` is called on several threads at once. The draws are those of `bootstrap` and
/// `bootstrap_mean`.
std::vector<std::optional<ScoreInterval>> bootstrap_scores(std::size_t pictures,
                                                           const BootstrapOptions& options,
                                                           const ResampleScores& score);

/// The value below which a part `q` in [0,1] of `values` lies, linear between neighbours; 0 of
/// none. Sorts them.
double quantile(std::vector<double> values, double q);

/// The interval of `values` that leaves out (1 - level) / 2 of them at either end.
ScoreInterval central_interval(const std::vector<double>& values, double level);

}  // namespace segmentum
