// The Gaussian itself, over every pair of pixels: slow, obvious, and what the lattice is held to.
#pragma once

#include <memory>
#include <vector>

#include "crf/features.h"
#include "crf/filter.h"

namespace segmentum {

/// A_ij = exp(-|f_i - f_j|^2 / 2), A_ii = 1. A product takes O(N^2 * (d + stride)) time.
class ExactFilter : public PairwiseFilter {
 public:
  explicit ExactFilter(const Features& features);
  std::unique_ptr<Run> make_run(int stride) const override;
  std::size_t bytes() const override { return sizeof(float) * features_.size(); }

 private:
  class ExactRun;
  double kernel(std::int64_t i, std::int64_t j) const;

  int dimensions_;
  std::vector<float> features_;
};

}  // namespace segmentum
