// A pairwise term: a filter, how it is normalised, and what a pair of labels costs.
#pragma once

#include <memory>
#include <vector>

#include "crf/filter.h"
#include "segmentum/crf.h"

namespace segmentum {

/// The message that pixel i gets is weight * compatibility * (B in)_i, B = diag(out_scale) A
/// diag(in_scale).
class Kernel {
 public:
  /// Normalises at once: a product with A. Throws Error if the term's numbers are not finite and
  /// moderate, or the compatibility is not [K,K].
  Kernel(std::unique_ptr<const PairwiseFilter> filter, const CrfTerm& term, int labels);

  const PairwiseFilter& filter() const { return *filter_; }
  /// Memory of the filter and of the factors that normalise it.
  std::size_t bytes() const;
  float weight() const { return weight_; }
  void set_weight(float weight);
  /// The compatibility matrix, its columns as rows [K][row_stride(K)]; empty: Potts.
  const Block<float>& columns() const { return columns_; }
  bool is_potts() const { return columns_.empty(); }

  /// What rows are multiplied by before and after the filter, one number a pixel; null: 1.
  const float* in_scale(std::int64_t first) const { return scale(splat_scale_, first); }
  const float* out_scale(std::int64_t first) const { return scale(slice_scale_, first); }

 private:
  static const float* scale(const std::shared_ptr<const Block<float>>& values, std::int64_t first) {
    return values ? values->data() + first : nullptr;
  }
  void normalise(CrfNormalisation normalisation);

  std::unique_ptr<const PairwiseFilter> filter_;
  float weight_;
  Block<float> columns_;
  std::shared_ptr<const Block<float>> splat_scale_, slice_scale_;  // shared where they are equal
};

/// What a lattice's kernel of so many features holds for each pixel: corners with their weights,
/// and the factors that normalise it. Vertices come on top.
std::int64_t kernel_bytes_per_pixel(int features, CrfNormalisation normalisation);

}  // namespace segmentum
