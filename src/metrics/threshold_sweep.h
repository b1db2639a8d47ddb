// How well cells are told apart at each threshold of their probability, with thinned borders: the
// scores of the ISBI 2012 challenge.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/bootstrap.h"
#include "metrics/rand_error.h"
#include "segmentum/image.h"
#include "segmentum/probabilities.h"

namespace segmentum {

/// Scores of cells at several thresholds, gathered while pictures pass by.
///
/// At a threshold t the predicted cells are the 4-connected regions of pixels whose probability of
/// `interior` exceeds t, then grown until the borders between them are lines (`thin_borders`). True
/// segments, and what is counted, are as in `rand_scores`: the pixels of true cells alone, and a
/// counted pixel on a predicted line is a segment of its own. True borders are left as they are.
///
/// V^Rand (thinned) and V^Info (thinned) of Arganda-Carreras et al., "Crowdsourcing the creation of
/// image segmentation algorithms for connectomics", Frontiers in Neuroanatomy 2015.
class ThresholdSweep {
 public:
  /// Thresholds 0.1, 0.2, ..., 0.9. The challenge's script also takes 0 and 1, at which softmax
  /// leaves all pixels in one cell, or in none.
  explicit ThresholdSweep(std::uint16_t interior);
  /// Throws Error unless there is a threshold.
  ThresholdSweep(std::uint16_t interior, std::vector<double> thresholds);

  /// A picture without a true cell counts nowhere. Throws Error if the sizes differ or there is no
  /// such class. O(thresholds * H*W log(H*W)).
  void add(const Probabilities& probabilities, const LabelMap& truth);

  /// Of one picture at one threshold.
  struct Counts {
    RandPairs pairs;          // of cells whose borders are as thick as predicted
    RandPairs thinned_pairs;  // the others: of those with thinned borders
    double thinned_information_f = 0;
    double thinned_information_bits = 0;  // variation of information
  };
  const std::vector<double>& thresholds() const { return thresholds_; }
  /// [picture][threshold], in the order in which they were added.
  const std::vector<std::vector<Counts>>& pictures() const { return pictures_; }

 private:
  std::uint16_t interior_;
  std::vector<double> thresholds_;
  std::vector<std::vector<Counts>> pictures_;
};

/// Scores at one threshold: means over pictures, but for `thinned_rand_f_of_pairs`.
struct SweptScores {
  double threshold = 0;
  double rand_f = 0;                    // borders as thick as predicted
  double thinned_rand_f = 0;            // V^Rand (thinned)
  double thinned_rand_f_of_pairs = 0;   // its sums taken over all pictures before it is divided
  double thinned_information_f = 0;     // V^Info (thinned)
  double thinned_information_bits = 0;  // variation of information; less is better
};

/// One entry for each threshold; empty without a picture.
std::vector<SweptScores> sweep_curve(const ThresholdSweep& sweep);
/// The same of some of the pictures, by their numbers; one may come several times.
std::vector<SweptScores> sweep_curve(const ThresholdSweep& sweep,
                                     std::span<const std::uint32_t> pictures);

/// A score at the threshold where it is best, the least such one, with its name for people; an
/// interval where `bootstrap` was asked for, each resample having its own best threshold.
struct BestOfSweep {
  std::string name;
  double threshold = 0;
  double score = 0;
  std::optional<ScoreInterval> interval;
};
/// One for each score of SweptScores, in its order; empty without a picture.
std::vector<BestOfSweep> best_of(const ThresholdSweep& sweep,
                                 const std::optional<BootstrapOptions>& bootstrap = {});

/// A line for each threshold, in percent and bits; ends with a newline.
std::string sweep_table(const ThresholdSweep& sweep);
/// [{"threshold", "rand_f", ...}], as SweptScores.
std::string sweep_json(const ThresholdSweep& sweep);

}  // namespace segmentum
