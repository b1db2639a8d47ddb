// Mean field itself: what every pixel hears from all others, and what it makes of it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "crf/kernel_products.h"
#include "crf/mean_field_kernels.h"
#include "crf/rows.h"
#include "segmentum/crf.h"

namespace segmentum {

/// The marginals of a CRF and the products that they are in. A pixel's row is read once in a step:
/// what its kernels bring is sliced, added to its unary, made a softmax, and splatted for the next
/// step before the row leaves the cache.
class MeanField {
 public:
  /// Marginals := softmax(-unary). `unary` [N][row_stride(labels)], kNoLabel beyond the labels;
  /// it and the kernels must outlive this and keep their place.
  MeanField(int labels, const Block<float>& unary, const std::vector<Kernel>& kernels);

  CrfStep step();
  double free_energy();
  /// [N][row_stride(labels)]
  const Block<float>& marginals() const& { return q_; }
  Block<float> marginals() && { return std::move(q_); }

 private:
  class Scratch;
  void hear(int band, PixelRange range, Scratch& scratch) const;
  template <typename Body>
  FieldSums for_bands(const Body& body);

  int labels_;
  int stride_;
  Bands bands_;
  const Block<float>& unary_;
  KernelProducts products_;
  Block<float> q_;
  double entropy_ = 0;
};

}  // namespace segmentum
