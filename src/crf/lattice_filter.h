// The Gaussian as everybody computes it: splat onto the permutohedral lattice, blur, slice.
#pragma once

#include <memory>

#include "crf/filter.h"
#include "crf/lattice.h"

namespace segmentum {

/// A = gain * slice * blur_d ... blur_0 * splat; the adjoint blurs its axes in reverse. A product
/// takes O((N + vertices) * d * stride) time.
class LatticeFilter : public PairwiseFilter {
 public:
  explicit LatticeFilter(const Features& features)
      : PairwiseFilter(features.pixels), lattice_(features, bands()) {}
  std::unique_ptr<Run> make_run(int stride) const override;
  std::size_t bytes() const override { return lattice_.bytes(); }
  const Lattice& lattice() const { return lattice_; }

 private:
  class LatticeRun;
  Lattice lattice_;
};

}  // namespace segmentum
