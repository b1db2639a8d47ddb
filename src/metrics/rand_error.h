// How well the cells of a picture were told apart, where one leaking border joins two of them.
#pragma once

#include <cstdint>
#include <optional>

#include "metrics/segments.h"
#include "segmentum/image.h"

namespace segmentum {

/// Agreement on pairs of pixels: are both in one cell, or in two?
struct RandScores {
  double precision = 0;  // V_merge: falls where predicted segments join true ones
  double recall = 0;     // V_split: falls where predicted segments cut true ones
  double f_score = 0;    // V_rand: harmonic mean of both
  double error = 0;      // 1 - f_score
};

/// What they follow from: pairs of pixels, ordered and also with itself, that are in one segment.
struct RandPairs {
  double joint = 0;      // sum n_ij^2: of both maps
  double predicted = 0;  // sum a_i^2
  double truth = 0;      // sum b_j^2

  RandPairs& operator+=(const RandPairs& other);
  /// Meaningless without a pair.
  RandScores scores() const;
};
RandPairs rand_pairs(const SegmentOverlaps& overlaps);

/// Foreground-restricted Rand scores of a predicted label map.
///
/// Segments are 4-connected components of pixels labelled `interior`: t of the truth, s of the
/// prediction. Counted are the n pixels that lie in some t; a counted pixel in no s (a predicted
/// border inside a true cell) is a segment of its own. With n_ij the counted pixels in s_i and t_j,
/// a_i = sum_j n_ij and b_j = sum_i n_ij:
///
///   precision = sum n_ij^2 / sum a_i^2,   recall = sum n_ij^2 / sum b_j^2,
///   f_score = 2 sum n_ij^2 / (sum a_i^2 + sum b_j^2)
///
/// Arganda-Carreras et al., Frontiers in Neuroanatomy 2015, with alpha = 1/2. Their challenge also
/// thinned borders and took the best threshold of a border probability, as `ThresholdSweep` does; a
/// label map has neither, so a border predicted too thick costs recall here. Ignored pixels are in
/// no segment of either map and cut both alike. Empty where the truth has no interior. Throws Error
/// if the sizes differ. O(H*W log(H*W)).
std::optional<RandScores> rand_scores(const LabelMap& prediction, const LabelMap& truth,
                                      std::uint16_t interior);

/// Adapted Rand scores of any two segmentations, as the `adapted_rand_error` of scikit-image counts
/// them: over pairs of two different pixels of true segments, with predicted gaps as one segment
/// (Gap::one_segment), where `rand_scores` counts pairs with itself and each pixel of a gap apart.
/// (CREMI's tool of that name counts pairs with itself, too, and a gap for next to nothing.)
/// Precision falls where segments join true ones, recall where they cut them. Empty without a pixel
/// in a true segment.
std::optional<RandScores> adapted_rand(const SegmentOverlaps& overlaps);

}  // namespace segmentum
