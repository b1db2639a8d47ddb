// Mean field in plain loops, and its derivative as it is written: for any kernels.
#pragma once

#include <vector>

#include "engine/reference/pixel_matrix.h"

namespace segmentum::reference {

/// Numbers of each label, plane after plane: [L][pixels].
using Planes = std::vector<std::vector<double>>;

/// The pairwise part of a random field over the pixels of one picture.
struct PairwiseField {
  std::vector<PixelMatrix> kernels;
  Planes weights;        // [kernel][L]
  Planes compatibility;  // [L][L]
};

/// What one iteration made on its way from x to s - messages.
struct FieldIteration {
  Planes probabilities;        // softmax(x)
  std::vector<Planes> spread;  // kernel * probabilities, for each kernel
  Planes wanted;               // their weighted sum, to which compatibility is applied
};

/// What `iterations` steps make of scores s; each of them is kept where `kept` is given.
Planes refined(const PairwiseField& field, const Planes& scores, int iterations,
               std::vector<FieldIteration>* kept = nullptr);

struct FieldGradients {
  Planes scores;   // [L][pixels]
  Planes weights;  // as the field's
  Planes compatibility;
};

/// The derivatives of what came of those iterations, times `gradient` [L][pixels].
FieldGradients refined_backward(const PairwiseField& field, const std::vector<FieldIteration>& kept,
                                Planes gradient);

}  // namespace segmentum::reference
