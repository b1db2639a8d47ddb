// The products with all kernels of a field that are under way: what mean field hears by, whether it
// only infers or also learns.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "crf/kernel.h"

namespace segmentum {

/// One product with each kernel at a time, in the phases of PairwiseFilter::Run. The adjoint of
/// B = diag(out_scale) A diag(in_scale) is diag(in_scale) A^T diag(out_scale).
/// Holds for each kernel the rows of its lattice's vertices, twice.
class KernelProducts {
 public:
  KernelProducts() = default;
  /// For rows of `stride` floats. The kernels must outlive it and keep their place.
  KernelProducts(std::vector<const Kernel*> kernels, int stride);

  int count() const { return static_cast<int>(kernels_.size()); }
  const Kernel& kernel(int m) const { return *kernels_[static_cast<std::size_t>(m)]; }

  void clear(int band);
  /// Takes in the rows of the range's pixels, which begin at `rows`.
  void splat(int band, PixelRange range, const float* rows,
             FilterDirection direction = FilterDirection::forward);
  void blur(FilterDirection direction = FilterDirection::forward);
  /// rows += factor * the product with kernel m.
  void slice(int m, int band, PixelRange range, float factor, float* rows,
             FilterDirection direction = FilterDirection::forward) const;

 private:
  std::vector<const Kernel*> kernels_;
  std::vector<std::unique_ptr<PairwiseFilter::Run>> runs_;
};

}  // namespace segmentum
