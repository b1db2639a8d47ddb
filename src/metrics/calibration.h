// Whether a network that is 80 % sure is right 80 % of the time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "segmentum/image.h"
#include "segmentum/probabilities.h"

namespace segmentum {

/// Pixels by how sure the network was of the class that it chose.
class CalibrationCounts {
 public:
  /// Bins of equal width over [0, 1]; 1 is in the last. Throws Error unless there is one.
  explicit CalibrationCounts(int bins = 15);

  /// Counts every pixel that is not ignored by the probability of its predicted class; what is no
  /// number counts as 0. Throws Error if sizes differ or a label is no class. O(H*W).
  void add(const Probabilities& probabilities, const LabelMap& prediction, const LabelMap& truth);

  struct Bin {
    std::int64_t pixels = 0;
    std::int64_t right = 0;
    double confidence_sum = 0;

    double confidence() const { return confidence_sum / static_cast<double>(pixels); }
    double accuracy() const { return static_cast<double>(right) / static_cast<double>(pixels); }
    Bin& operator+=(const Bin& other);
  };
  const std::vector<Bin>& bins() const { return bins_; }
  /// The same of each picture, in the order in which they were added.
  const std::vector<std::vector<Bin>>& pictures() const { return pictures_; }

 private:
  std::vector<Bin> bins_;
  std::vector<std::vector<Bin>> pictures_;
};

struct CalibrationScores {
  double expected_error = 0;  // ECE: the mean of |accuracy - confidence|, bins by their pixels
  double largest_error = 0;   // MCE: the largest of them, of bins with pixels
  double confidence = 0;      // means over all pixels
  double accuracy = 0;
};

/// Guo et al., "On calibration of modern neural networks", ICML 2017. Empty without a pixel.
std::optional<CalibrationScores> scores(const CalibrationCounts& counts);

/// The same of some of the pictures, by their numbers; one may come several times.
std::optional<CalibrationScores> scores(const CalibrationCounts& counts,
                                        std::span<const std::uint32_t> pictures);

}  // namespace segmentum
