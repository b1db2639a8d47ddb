// Mean field that learns, over one picture: the forward pass keeps its probabilities, the backward
// pass filters gradients with the adjoint.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "crf/kernel_products.h"
#include "crf/rows.h"

namespace segmentum::cpu {

/// The numbers of a field, as rows that its kernels read: row_stride(labels) floats each, zero
/// beyond the labels.
struct PairwiseCosts {
  int labels = 0;
  std::vector<Block<float>> weights;  // a row for each kernel
  Block<float> rows;                  // row k: what label k costs beside each label
  Block<float> columns;               // row l: what each label costs beside label l

  /// `compatibility` is [labels, labels]; weights[m] has `labels` numbers.
  PairwiseCosts(int labels, const std::vector<std::vector<float>>& weights,
                const float* compatibility);
};

/// S_m[k][l], the sums over pixels j of (A_m^T g)_j[k] q_j[l]: all that the gradients of the costs
/// need, since x = s - C sum_m w_m * (A_m q) gives, w and C being the same for all pixels,
///   dC[k][l] = -sum_m w_m[l] S_m[k][l],   dw_m[l] = -sum_k C[k][l] S_m[k][l].
using PairwiseSums = std::vector<std::vector<double>>;  // by kernel, [labels][row_stride(labels)]

/// One picture's field. Kernels may be shared between pictures of one size. While a pass runs, and
/// no longer, it holds for each kernel the rows of its lattice's vertices, twice.
class PairwiseField {
 public:
  /// At least one kernel.
  PairwiseField(std::vector<std::shared_ptr<const Kernel>> kernels, int labels);

  const std::vector<std::shared_ptr<const Kernel>>& kernels() const { return kernels_; }

  using Read = std::function<void(PixelRange, float* rows)>;
  using Write = std::function<void(PixelRange, const float* rows)>;
  using Add = std::function<void(PixelRange, const float* rows, bool first)>;

  /// x = s, then `iterations` times x = s - C sum_m w_m * (A_m softmax(x)). `scores` gives s,
  /// kNoScore beyond the labels, in every iteration again; the last x goes to `result`, block by
  /// block. `kept` [iterations][pixels][row_stride(labels)] or null: the softmax that each
  /// iteration began with. O(iterations * pixels * labels * (dimensions + labels)).
  void forward(const PairwiseCosts& costs, const Read& scores, int iterations, float* kept,
               const Write& result);

  /// From the gradient of the result to that of the scores, which is the sum of all that
  /// `score_gradient` is given, `first` the first time of a block. Adds to `sums` unless null. At
  /// the cost of the forward pass.
  void backward(const PairwiseCosts& costs, const float* kept, int iterations, const Read& gradient,
                const Add& score_gradient, PairwiseSums* sums);

 private:
  struct Scratch;
  template <typename Body>
  void for_bands(bool splats, const Body& body);
  KernelProducts products() const;
  void subtract_messages(const PairwiseCosts& costs, int band, PixelRange range,
                         Scratch& scratch) const;
  void pull_back(const PairwiseCosts& costs, const float* q, int band, PixelRange range,
                 Scratch& scratch, PairwiseSums* sums) const;
  void add_products(Scratch& scratch, const float* q, std::int64_t pixels,
                    std::vector<double>& sums) const;

  std::vector<std::shared_ptr<const Kernel>> kernels_;
  KernelProducts products_;  // of the pass that runs
  Bands bands_;
  int labels_;
  int stride_;
};

}  // namespace segmentum::cpu
