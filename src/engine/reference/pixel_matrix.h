// The kernels of a mean field as what they are: matrices over the pixels of one picture.
#pragma once

#include <functional>
#include <vector>

#include "crf/features.h"
#include "crf/filter.h"
#include "graph/operators.h"

namespace segmentum::reference {

/// The product with a matrix, A in or A^T in, one number for each pixel.
using PixelMatrix =
    std::function<std::vector<double>(const std::vector<double>& in, FilterDirection)>;

/// The Gaussian of points on the permutohedral lattice, in plain loops: its vertices in a map,
/// values moved onto the corners of each pixel's simplex, spread to the neighbours along one axis
/// after the other, and read back from the corners. The transpose spreads along the axes in
/// reverse. Which vertices there are is `LatticeGeometry`'s answer. Adams, Baek and Davis, 2010.
PixelMatrix lattice_matrix(const Features& points);

/// diag(a) A diag(b), which `normalisation` says.
PixelMatrix normalised(PixelMatrix matrix, CrfNormalisation normalisation, std::int64_t pixels);

}  // namespace segmentum::reference
