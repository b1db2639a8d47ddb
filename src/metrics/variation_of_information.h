// How much one segmentation leaves open about another one.
#pragma once

#include <optional>

#include "metrics/segments.h"

namespace segmentum {

/// In bits; 0 is best, and there is no upper end but log2 of the pixels.
struct VariationOfInformation {
  double split_bits = 0;  // H(S|T): true segments that were cut
  double merge_bits = 0;  // H(T|S): true segments that were joined

  double total_bits() const { return split_bits + merge_bits; }
};

/// With n_ij, a_i, b_j of `SegmentOverlaps` and n pixels:
///
///   H(S|T) = -sum n_ij/n log2(n_ij/b_j),   H(T|S) = -sum n_ij/n log2(n_ij/a_i)
///
/// Symmetric: exchanging the maps exchanges the two. Empty without a pixel in a true segment.
/// Meila, Journal of Multivariate Analysis 2007; CREMI, and scikit-image with ignore_labels=[0],
/// take it over the pixels of true segments, as here (with Gap::one_segment).
std::optional<VariationOfInformation> variation_of_information(const SegmentOverlaps& overlaps);

/// V^Info of the ISBI 2012 challenge, what the F-score of `RandScores` is to pairs of pixels: the
/// harmonic mean of I/H(T) and I/H(S), that is
///
///   2 I / (H(S) + H(T)),   I = H(S) + H(T) - H(S,T),
///
/// I the bits that either map tells of the other. In [0,1]; 1 is best, and also what two maps of
/// one segment each have, where the challenge's tool says 0. The challenge takes predicted gaps as
/// Gap::own_segments. Empty without a pixel in a true segment.
/// Arganda-Carreras et al., Frontiers in Neuroanatomy 2015.
std::optional<double> information_f_score(const SegmentOverlaps& overlaps);

}  // namespace segmentum
