// The unary term in rows, from whatever the caller has, and marginals back in planes.
#pragma once

#include <cstdint>
#include <span>

#include "crf/features.h"
#include "crf/rows.h"
#include "segmentum/crf.h"

namespace segmentum {

/// The pixels of a CRF and the labels that they may take.
struct CrfDomain {
  CrfSize size;
  int labels;
  ActivePixels active;

  int stride() const { return row_stride(labels); }
};

/// Rows [active][stride] with kNoLabel beyond the labels; errors as DenseCrf's functions say.
Block<float> unary_of_energies(const CrfDomain& domain, std::span<const float> energies);
Block<float> unary_of_probabilities(const CrfDomain& domain, std::span<const float> probabilities);
Block<float> unary_of_labels(const CrfDomain& domain, std::span<const std::uint16_t> labels,
                             float confidence);

/// Rows into planes [K,N]; 1/K where a pixel takes no part.
void rows_to_planes(const CrfDomain& domain, const Block<float>& rows, std::span<float> planes);

/// The label of the largest number of each row, of equals the first; kIgnoreLabel where a pixel
/// takes no part.
void most_likely_of_rows(const CrfDomain& domain, const Block<float>& rows,
                         std::span<std::uint16_t> labels);

}  // namespace segmentum
