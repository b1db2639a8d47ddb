// A row of labels is whole aligned vectors (label_rows.h), so no loop has a tail. Outer products
// keep some columns of the sums in registers while the pixels go by.
#include "engine/cpu/kernels/label_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/label_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/exponential-inl.h"
#include "crf/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using segmentum::HWY_NAMESPACE::exp_negative;
using segmentum::HWY_NAMESPACE::for_columns;
using segmentum::HWY_NAMESPACE::kRowLanes;
using segmentum::HWY_NAMESPACE::RowTag;
using segmentum::HWY_NAMESPACE::RowVector;
using segmentum::HWY_NAMESPACE::store_row;

void SoftmaxRows(float* HWY_RESTRICT rows, std::int64_t pixels, int stride) {
  const RowTag d;
  for (float* row = rows; row != rows + pixels * stride; row += stride) {
    RowVector largest = hn::Load(d, row);
    for (int c = kRowLanes; c < stride; c += kRowLanes) {
      largest = hn::Max(largest, hn::Load(d, row + c));
    }
    largest = hn::MaxOfLanes(d, largest);
    RowVector sum = hn::Zero(d);
    for (int c = 0; c < stride; c += kRowLanes) {
      const RowVector e = exp_negative(d, hn::Sub(hn::Load(d, row + c), largest));
      sum = hn::Add(sum, e);
      hn::Store(e, d, row + c);
    }
    const RowVector inverse = hn::Div(hn::Set(d, 1.0f), hn::SumOfLanes(d, sum));
    for (int c = 0; c < stride; c += kRowLanes) {
      hn::Store(hn::Mul(hn::Load(d, row + c), inverse), d, row + c);
    }
  }
}

void SoftmaxRowsBackward(const float* HWY_RESTRICT q, const float* HWY_RESTRICT dq,
                         std::int64_t pixels, int stride, float* HWY_RESTRICT dx) {
  const RowTag d;
  for (std::int64_t at = 0; at < pixels * stride; at += stride) {
    RowVector mean = hn::Zero(d);
    for (int c = 0; c < stride; c += kRowLanes) {
      mean = hn::MulAdd(hn::Load(d, q + at + c), hn::Load(d, dq + at + c), mean);
    }
    mean = hn::SumOfLanes(d, mean);
    for (int c = 0; c < stride; c += kRowLanes) {
      const RowVector slope = hn::Sub(hn::Load(d, dq + at + c), mean);
      hn::Store(hn::Mul(hn::Load(d, q + at + c), slope), d, dx + at + c);
    }
  }
}

void AddWeightedRows(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT weights,
                     std::int64_t pixels, int stride, float* HWY_RESTRICT to) {
  const RowTag d;
  for (std::int64_t at = 0; at < pixels * stride; at += stride) {
    for (int c = 0; c < stride; c += kRowLanes) {
      const RowVector row = hn::Load(d, rows + at + c);
      float* sum = to + at + c;
      hn::Store(hn::MulAdd(hn::Load(d, weights + c), row, hn::Load(d, sum)), d, sum);
    }
  }
}

void OuterProducts(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::int64_t pixels,
                   int labels, float* HWY_RESTRICT sums) {
  const int stride = row_stride(labels);
  for_columns(stride, [&](auto vectors, int column) {
    constexpr int kVectors = vectors;
    const RowTag d;
    for (int k = 0; k < labels; ++k) {
      RowVector sum[kVectors];
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
      for (std::int64_t p = 0; p < pixels; ++p) {
        const RowVector factor = hn::Set(d, a[p * stride + k]);
        const float* row = b + p * stride + column;
        for (int v = 0; v < kVectors; ++v) {
          sum[v] = hn::MulAdd(factor, hn::Load(d, row + v * kRowLanes), sum[v]);
        }
      }
      store_row<kVectors>(d, sum, sums + static_cast<std::int64_t>(k) * stride + column);
    }
  });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(SoftmaxRowsBackward);
HWY_EXPORT(AddWeightedRows);
HWY_EXPORT(OuterProducts);

void softmax_rows(float* rows, std::int64_t pixels, int stride) {
  HWY_DYNAMIC_DISPATCH(SoftmaxRows)(rows, pixels, stride);
}

void softmax_rows_backward(const float* q, const float* dq, std::int64_t pixels, int stride,
                           float* dx) {
  HWY_DYNAMIC_DISPATCH(SoftmaxRowsBackward)(q, dq, pixels, stride, dx);
}

void add_weighted_rows(const float* rows, const float* weights, std::int64_t pixels, int stride,
                       float* to) {
  HWY_DYNAMIC_DISPATCH(AddWeightedRows)(rows, weights, pixels, stride, to);
}

void outer_products(const float* a, const float* b, std::int64_t pixels, int labels, float* sums) {
  HWY_DYNAMIC_DISPATCH(OuterProducts)(a, b, pixels, labels, sums);
}

void load_label_rows(const View& value, std::int64_t n, PixelRange range, const LabelRows& form,
                     float* rows) {
  const std::int64_t channels = value.shape.c(), pixels = range.count();
  const bool single = channels == 1;
  const int stride = row_stride(static_cast<int>(single ? 2 : channels));
  std::fill_n(rows, pixels * stride, form.beyond);
  for (std::int64_t c = 0; c < channels; c += value.block) {
    const float* from = value.at(n, c / value.block) + range.begin * value.block;
    float* to = rows + (single ? 1 : c);
    const auto count = std::min<std::int64_t>(value.block, channels - c);
    for (std::int64_t p = 0; p < pixels; ++p) {
      std::copy_n(from + p * value.block, count, to + p * stride);
    }
  }
  if (!single) return;
  for (std::int64_t p = 0; p < pixels; ++p) rows[p * stride] = form.single * rows[p * stride + 1];
}

void store_label_rows(const float* rows, PixelRange range, const LabelRows& form, const View& value,
                      std::int64_t n, Store how) {
  const std::int64_t channels = value.shape.c(), pixels = range.count();
  const bool single = channels == 1;
  const int stride = row_stride(static_cast<int>(single ? 2 : channels));
  for (std::int64_t c = 0; c < channels; c += value.block) {
    float* to = value.at(n, c / value.block) + range.begin * value.block;
    const auto count = std::min<std::int64_t>(value.block, channels - c);
    if (how == Store::replace) std::fill_n(to, pixels * value.block, 0.0f);
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float* row = rows + p * stride + (single ? 1 : c);
      for (std::int64_t i = 0; i < count; ++i) to[p * value.block + i] += row[i];
      if (single) to[p * value.block] += form.single * row[-1];
    }
  }
}

}  // namespace segmentum::cpu
#endif
