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
  Block<float> outer;  // [labels][stride], made where it is needed
};

PairwiseField::PairwiseField(std::vector<std::shared_ptr<const Kernel>> kernels, int labels)
    : kernels_(std::move(kernels)),
      bands_(kernels_.front()->filter().bands()),
      labels_(labels),
      stride_(row_stride(labels)) {}

template <typename Body>
void PairwiseField::for_bands(bool splats, const Body& body) {
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    Scratch scratch(stride_);
    if (splats) products_.clear(band);
    for_blocks(bands_[band], stride_, [&](PixelRange range) { body(band, range, scratch); });
  });
}

KernelProducts PairwiseField::products() const {
  std::vector<const Kernel*> kernels;
  for (const auto& kernel : kernels_) kernels.push_back(kernel.get());
  return {std::move(kernels), stride_};
}

/// x -= C sum_m w_m * product_m
void PairwiseField::subtract_messages(const PairwiseCosts& costs, int band, PixelRange range,
                                      Scratch& scratch) const {
  const std::int64_t pixels = range.count();
  std::fill_n(scratch.sum.data(), pixels * stride_, 0.0f);
  for (int m = 0; m < products_.count(); ++m) {
    std::fill_n(scratch.product.data(), pixels * stride_, 0.0f);
    products_.slice(m, band, range, 1.0f, scratch.product.data());
    add_weighted_rows(scratch.product.data(), costs.weights[static_cast<std::size_t>(m)].data(),
                      pixels, stride_, scratch.sum.data());
  }
  subtract_costs(costs.columns.data(), 1.0f, scratch.sum.data(), pixels, labels_, scratch.x.data());
}

void PairwiseField::forward(const PairwiseCosts& costs, const Read& scores, int iterations,
                            float* kept, const Write& result) {
  products_ = products();
  for (int t = 0; t <= iterations; ++t) {
    if (t > 0) products_.blur();
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
      products_.splat(band, range, x);
    });
  }
  products_ = {};
}

/// x = the gradient of what an iteration began with, its softmax being q; the filtered gradient of
/// what it made is under way.
void PairwiseField::pull_back(const PairwiseCosts& costs, const float* q, int band,
                              PixelRange range, Scratch& scratch, PairwiseSums* sums) const {
  const std::int64_t pixels = range.count(), floats = pixels * stride_;
  float *dq = scratch.sum.data(), *product = scratch.product.data(), *pulled = scratch.x.data();
  std::fill_n(dq, floats, 0.0f);
  for (int kernel = 0; kernel < products_.count(); ++kernel) {
    const auto m = static_cast<std::size_t>(kernel);
    std::fill_n(product, floats, 0.0f);
    products_.slice(kernel, band, range, 1.0f, product, FilterDirection::adjoint);
    if (sums != nullptr) add_products(scratch, q, pixels, (*sums)[m]);
    std::fill_n(pulled, floats, 0.0f);
    subtract_costs(costs.rows.data(), 1.0f, product, pixels, labels_, pulled);  // -C^T product
    add_weighted_rows(pulled, costs.weights[m].data(), pixels, stride_, dq);
  }
  softmax_rows_backward(q, dq, pixels, stride_, scratch.x.data());
}

void PairwiseField::backward(const PairwiseCosts& costs, const float* kept, int iterations,
                             const Read& gradient, const Add& score_gradient, PairwiseSums* sums) {
  const auto numbers = static_cast<std::size_t>(costs.rows.count());
  const PairwiseSums none(kernels_.size(), std::vector<double>(numbers, 0.0));
  std::vector<PairwiseSums> of_band(static_cast<std::size_t>(sums ? bands_.count() : 0), none);
  products_ = products();
  for (int t = iterations; t >= 0; --t) {  // x is the gradient of what iteration t made
    if (t < iterations) products_.blur(FilterDirection::adjoint);
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
      if (t > 0) products_.splat(band, range, x, FilterDirection::adjoint);
    });
  }
  products_ = {};
  for (const PairwiseSums& band : of_band) {
    for (std::size_t m = 0; m < band.size(); ++m) {
      std::ranges::transform((*sums)[m], band[m], (*sums)[m].begin(), std::plus<>());
    }
  }
}

/// sums += scratch.product^T q: whole blocks of pixels in single precision, their sums in double.
void PairwiseField::add_products(Scratch& scratch, const float* q, std::int64_t pixels,
                                 std::vector<double>& sums) const {
  Block<float>& outer = scratch.outer;
  if (outer.empty()) outer = Block<float>(static_cast<std::int64_t>(sums.size()));
  outer_products(scratch.product.data(), q, pixels, labels_, outer.data());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] += static_cast<double>(outer[static_cast<std::int64_t>(i)]);
  }
}

}  // namespace segmentum::cpu
