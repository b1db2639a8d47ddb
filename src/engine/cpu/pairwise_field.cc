#include "engine/cpu/pairwise_field.h"

#include <algorithm>
#include <utility>

#include "base/threads.h"
#include "crf/mean_field_kernels.h"
#include "engine/cpu/kernels/label_rows.h"

namespace segmentum::cpu {
namespace {

Block<float> zeros(std::int64_t count) {
  Block<float> block(count);
  std::fill_n(block.data(), count, 0.0f);
  return block;
}

}  // namespace

PairwiseCosts::PairwiseCosts(int label_count, const std::vector<std::vector<float>>& label_weights,
                             const float* compatibility)
    : labels(label_count) {
  const int stride = row_stride(labels);
  for (const std::vector<float>& given : label_weights) {
    weights.push_back(zeros(stride));
    std::ranges::copy(given, weights.back().data());
  }
  rows = zeros(std::int64_t{labels} * stride);
  columns = zeros(std::int64_t{labels} * stride);
  for (std::int64_t k = 0; k < labels; ++k) {
    for (std::int64_t l = 0; l < labels; ++l) {
      rows[k * stride + l] = columns[l * stride + k] = compatibility[k * labels + l];
    }
  }
}

/// What a thread needs for one block of pixels.
struct PairwiseField::Scratch {
  explicit Scratch(int stride)
      : x(block_pixels(stride) * stride),
        sum(block_pixels(stride) * stride),
        product(block_pixels(stride) * stride) {}

  Block<float> x, sum, product;
};

PairwiseField::PairwiseField(std::vector<std::shared_ptr<const Kernel>> kernels, int labels)
    : kernels_(std::move(kernels)),
      bands_(kernels_.front()->filter().bands()),
      labels_(labels),
      stride_(row_stride(labels)) {
  for (const auto& kernel : kernels_) runs_.push_back(kernel->filter().make_run(stride_));
}

template <typename Body>
void PairwiseField::for_bands(bool splats, const Body& body) {
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    Scratch scratch(stride_);
    if (splats) {
      for (const auto& run : runs_) run->clear(band);
    }
    for_blocks(bands_[band], stride_, [&](PixelRange range) { body(band, range, scratch); });
  });
}

void PairwiseField::blur(FilterDirection direction) {
  for (const auto& run : runs_) run->blur(direction);
}

void PairwiseField::splat(int band, PixelRange range, const float* rows,
                          FilterDirection direction) {
  for (std::size_t m = 0; m < runs_.size(); ++m) {
    const bool forward = direction == FilterDirection::forward;
    runs_[m]->splat(
        band, range, rows,
        forward ? kernels_[m]->in_scale(range.begin) : kernels_[m]->out_scale(range.begin));
  }
}

/// rows = the kernel's product.
void PairwiseField::slice(std::size_t kernel, int band, PixelRange range, FilterDirection direction,
                          float* rows) const {
  const bool forward = direction == FilterDirection::forward;
  std::fill_n(rows, range.count() * stride_, 0.0f);
  runs_[kernel]->slice(
      band, range, 1.0f,
      forward ? kernels_[kernel]->out_scale(range.begin) : kernels_[kernel]->in_scale(range.begin),
      rows);
}

/// x -= C sum_m w_m * product_m
void PairwiseField::subtract_messages(const PairwiseCosts& costs, int band, PixelRange range,
                                      Scratch& scratch) const {
  const std::int64_t pixels = range.count();
  std::fill_n(scratch.sum.data(), pixels * stride_, 0.0f);
  for (std::size_t m = 0; m < runs_.size(); ++m) {
    slice(m, band, range, FilterDirection::forward, scratch.product.data());
    add_weighted_rows(scratch.product.data(), costs.weights[m].data(), pixels, stride_,
                      scratch.sum.data());
  }
  subtract_costs(costs.columns.data(), 1.0f, scratch.sum.data(), pixels, labels_, scratch.x.data());
}

void PairwiseField::forward(const PairwiseCosts& costs, const Read& scores, int iterations,
                            float* kept, const Write& result) {
  for (int t = 0; t <= iterations; ++t) {
    if (t > 0) blur(FilterDirection::forward);
    const bool last = t == iterations;
    for_bands(!last, [&](int band, PixelRange range, Scratch& scratch) {
      float* x = scratch.x.data();
      scores(range, x);
      if (t > 0) subtract_messages(costs, band, range, scratch);
      if (last) return result(range, x);
      softmax_rows(x, range.count(), stride_);
      if (kept != nullptr) {
        std::copy_n(x, range.count() * stride_,
                    kept + (t * bands_.pixels() + range.begin) * stride_);
      }
      splat(band, range, x, FilterDirection::forward);
    });
  }
}

/// x = the gradient of what an iteration began with, its softmax being q; the filtered gradient of
/// what it made is under way.
void PairwiseField::pull_back(const PairwiseCosts& costs, const float* q, int band,
                              PixelRange range, Scratch& scratch, PairwiseSums* sums) const {
  const std::int64_t pixels = range.count(), floats = pixels * stride_;
  float *dq = scratch.sum.data(), *product = scratch.product.data(), *pulled = scratch.x.data();
  std::fill_n(dq, floats, 0.0f);
  for (std::size_t m = 0; m < runs_.size(); ++m) {
    slice(m, band, range, FilterDirection::adjoint, product);
    if (sums != nullptr) add_products(product, q, pixels, (*sums)[m]);
    std::fill_n(pulled, floats, 0.0f);
    subtract_costs(costs.rows.data(), 1.0f, product, pixels, labels_, pulled);  // -C^T product
    add_weighted_rows(pulled, costs.weights[m].data(), pixels, stride_, dq);
  }
  softmax_rows_backward(q, dq, pixels, stride_, scratch.x.data());
}

void PairwiseField::backward(const PairwiseCosts& costs, const float* kept, int iterations,
                             const Read& gradient, const Add& score_gradient, PairwiseSums* sums) {
  const auto numbers = static_cast<std::size_t>(costs.rows.count());
  const PairwiseSums none(runs_.size(), std::vector<double>(numbers, 0.0));
  std::vector<PairwiseSums> of_band(static_cast<std::size_t>(sums ? bands_.count() : 0), none);
  for (int t = iterations; t >= 0; --t) {  // x is the gradient of what iteration t made
    if (t < iterations) blur(FilterDirection::adjoint);
    for_bands(t > 0, [&](int band, PixelRange range, Scratch& scratch) {
      float* x = scratch.x.data();
      if (t == iterations) {
        gradient(range, x);
      } else {
        const float* q = kept + (t * bands_.pixels() + range.begin) * stride_;
        pull_back(costs, q, band, range, scratch,
                  sums ? &of_band[static_cast<std::size_t>(band)] : nullptr);
      }
      score_gradient(range, x, t == iterations);
      if (t > 0) splat(band, range, x, FilterDirection::adjoint);
    });
  }
  for (const PairwiseSums& band : of_band) {
    for (std::size_t m = 0; m < band.size(); ++m) {
      std::ranges::transform((*sums)[m], band[m], (*sums)[m].begin(), std::plus<>());
    }
  }
}

/// Whole blocks of pixels in single precision, their sums in double.
void PairwiseField::add_products(const float* a, const float* b, std::int64_t pixels,
                                 std::vector<double>& sums) const {
  Block<float> block(static_cast<std::int64_t>(sums.size()));
  outer_products(a, b, pixels, labels_, block.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] += static_cast<double>(block[static_cast<std::int64_t>(i)]);
  }
}

}  // namespace segmentum::cpu
