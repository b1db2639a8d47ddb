#include "crf/mean_field_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "crf/mean_field_kernels.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>

#include "base/exponential-inl.h"
#include "crf/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum {
namespace HWY_NAMESPACE {

// The sum of logarithms of factors from 1 to 65535, of which few are taken.
class SumOfLogs {
 public:
  void add_log_of(float factor) {
    product_ *= static_cast<double>(factor);
    if (product_ > 1e280) take();
  }
  double sum() {
    take();
    return sum_;
  }

 private:
  void take() {
    sum_ += std::log(product_);
    product_ = 1;
  }
  double product_ = 1;
  double sum_ = 0;
};

HWY_INLINE double sum_of(RowTag d, RowVector v) {
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}

// The softmax of a row of logits in their place, of which `largest` has the largest of each lane.
// Returns the sum of exponentials; adds the mean of logit - maximum.
HWY_INLINE float softmax_row(RowTag d, int stride, RowVector largest, float* HWY_RESTRICT row,
                             RowVector& mean_logit) {
  largest = hn::MaxOfLanes(d, largest);
  RowVector sum = hn::Zero(d), weighted = hn::Zero(d);
  for (int c = 0; c < stride; c += kRowLanes) {
    const RowVector x = hn::Sub(hn::Load(d, row + c), largest);
    const RowVector e = exp_negative(d, x);
    sum = hn::Add(sum, e);
    weighted = hn::MulAdd(e, x, weighted);
    hn::Store(e, d, row + c);
  }
  sum = hn::SumOfLanes(d, sum);
  const RowVector inverse = hn::Div(hn::Set(d, 1.0f), sum);
  mean_logit = hn::MulAdd(weighted, inverse, mean_logit);
  for (int c = 0; c < stride; c += kRowLanes) {
    hn::Store(hn::Mul(hn::Load(d, row + c), inverse), d, row + c);
  }
  return hn::GetLane(sum);
}

// body(stride) with the strides of few labels as constants, so that their loops unroll.
template <class Body>
HWY_INLINE void with_stride(int labels, const Body& body) {
  switch (row_stride(labels)) {
    case 8:
      return body(std::integral_constant<int, 8>{});
    case 16:
      return body(std::integral_constant<int, 16>{});
    case 24:
      return body(std::integral_constant<int, 24>{});
    default:
      return body(row_stride(labels));
  }
}

FieldSums start_rows_of(const float* HWY_RESTRICT unary, std::int64_t pixels, int labels,
                        float* HWY_RESTRICT q) {
  const RowTag d;
  const int stride = row_stride(labels);
  SumOfLogs normalisers;
  RowVector mean_logit = hn::Zero(d);
  for (std::int64_t p = 0; p < pixels; ++p) {
    RowVector largest = hn::Set(d, -kNoLabel);
    for (int c = 0; c < stride; c += kRowLanes) {
      const RowVector x = hn::Neg(hn::Load(d, unary + p * stride + c));
      largest = hn::Max(largest, x);
      hn::Store(x, d, q + p * stride + c);
    }
    normalisers.add_log_of(softmax_row(d, stride, largest, q + p * stride, mean_logit));
  }
  return {.entropy = normalisers.sum() - sum_of(d, mean_logit)};
}

FieldSums update_rows_of(const float* HWY_RESTRICT unary, const float* HWY_RESTRICT common,
                         std::int64_t pixels, int labels, float* HWY_RESTRICT gain,
                         float* HWY_RESTRICT q) {
  const RowTag d;
  const RowVector half = hn::Set(d, 0.5f);
  FieldSums sums;
  with_stride(labels, [&](auto stride) {
    SumOfLogs normalisers;
    RowVector energy = hn::Zero(d), mean_logit = hn::Zero(d), change = hn::Zero(d);
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float* u_row = unary + p * stride;
      float *g_row = gain + p * stride, *q_row = q + p * stride;
      RowVector largest = hn::Set(d, -kNoLabel);
      for (int c = 0; c < stride; c += kRowLanes) {
        const RowVector u = hn::Load(d, u_row + c), g = hn::Load(d, g_row + c);
        energy = hn::MulAdd(hn::Load(d, q_row + c), hn::NegMulAdd(half, g, u), energy);
        const RowVector x = hn::Sub(g, u);
        largest = hn::Max(largest, x);
        hn::Store(x, d, g_row + c);
      }
      sums.energy += 0.5 * static_cast<double>(common[p]);
      normalisers.add_log_of(softmax_row(d, stride, largest, g_row, mean_logit));
      for (int c = 0; c < stride; c += kRowLanes) {
        const RowVector after = hn::Load(d, g_row + c);
        change = hn::Add(change, hn::AbsDiff(after, hn::Load(d, q_row + c)));
        hn::Store(after, d, q_row + c);
      }
    }
    sums.energy += sum_of(d, energy);
    sums.entropy = normalisers.sum() - sum_of(d, mean_logit);
    sums.change = 0.5 * sum_of(d, change);
  });
  return sums;
}

double energy_of_rows_of(const float* HWY_RESTRICT unary, const float* HWY_RESTRICT common,
                         const float* HWY_RESTRICT gain, const float* HWY_RESTRICT q,
                         std::int64_t pixels, int labels) {
  const RowTag d;
  const RowVector half = hn::Set(d, 0.5f);
  const std::int64_t stride = row_stride(labels);
  RowVector energy = hn::Zero(d);
  for (std::int64_t i = 0; i < pixels * stride; i += kRowLanes) {
    const RowVector cost = hn::NegMulAdd(half, hn::Load(d, gain + i), hn::Load(d, unary + i));
    energy = hn::MulAdd(hn::Load(d, q + i), cost, energy);
  }
  double sum = sum_of(d, energy);
  for (std::int64_t p = 0; p < pixels; ++p) sum += 0.5 * static_cast<double>(common[p]);
  return sum;
}

void sum_rows_of(const float* HWY_RESTRICT rows, std::int64_t pixels, int labels,
                 float* HWY_RESTRICT sums) {
  const RowTag d;
  with_stride(labels, [&](auto stride) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      RowVector sum = hn::Load(d, rows + p * stride);
      for (int c = kRowLanes; c < stride; c += kRowLanes) {
        sum = hn::Add(sum, hn::Load(d, rows + p * stride + c));
      }
      sums[p] = hn::GetLane(hn::SumOfLanes(d, sum));
    }
  });
}

void subtract_costs_of(const float* HWY_RESTRICT columns, float factor,
                       const float* HWY_RESTRICT message, std::int64_t pixels, int labels,
                       float* HWY_RESTRICT gain) {
  const int stride = row_stride(labels);
  for_columns(stride, [&](auto vectors, int column) {
    constexpr int kVectors = vectors;
    const RowTag d;
    for (std::int64_t p = 0; p < pixels; ++p) {
      RowVector row[kVectors];
      load_row<kVectors>(d, gain + p * stride + column, row);
      for (int l = 0; l < labels; ++l) {
        const RowVector m = hn::Set(d, factor * message[p * stride + l]);
        const float* cost = columns + static_cast<std::int64_t>(l) * stride + column;
        for (int v = 0; v < kVectors; ++v) {
          row[v] = hn::NegMulAdd(m, hn::Load(d, cost + v * kRowLanes), row[v]);
        }
      }
      store_row<kVectors>(d, row, gain + p * stride + column);
    }
  });
}

bool negative_logs_of(const float* HWY_RESTRICT p, int count, float floor,
                      float* HWY_RESTRICT energies, float* HWY_RESTRICT sums) {
  bool in_range = true;
  const auto at = [&](auto d, int i) {
    const auto value = hn::LoadU(d, p + i);
    const auto within = hn::And(hn::Ge(value, hn::Set(d, -kProbabilitySlack)),
                                hn::Le(value, hn::Set(d, 1 + kProbabilitySlack)));
    in_range = in_range && hn::AllTrue(d, within);
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), value), d, sums + i);
    hn::StoreU(hn::Neg(hn::Log(d, hn::Max(value, hn::Set(d, floor)))), d, energies + i);
  };
  const hn::ScalableTag<float> d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  for (; i + lanes <= count; i += lanes) at(d, i);
  for (; i < count; ++i) at(hn::CappedTag<float, 1>(), i);
  return in_range;
}

}  // namespace HWY_NAMESPACE
}  // namespace segmentum
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum {

HWY_EXPORT(start_rows_of);
HWY_EXPORT(update_rows_of);
HWY_EXPORT(energy_of_rows_of);
HWY_EXPORT(sum_rows_of);
HWY_EXPORT(subtract_costs_of);
HWY_EXPORT(negative_logs_of);

FieldSums start_rows(const float* unary, std::int64_t pixels, int labels, float* q) {
  return HWY_DYNAMIC_DISPATCH(start_rows_of)(unary, pixels, labels, q);
}

FieldSums update_rows(const float* unary, const float* common, std::int64_t pixels, int labels,
                      float* gain, float* q) {
  return HWY_DYNAMIC_DISPATCH(update_rows_of)(unary, common, pixels, labels, gain, q);
}

double energy_of_rows(const float* unary, const float* common, const float* gain, const float* q,
                      std::int64_t pixels, int labels) {
  return HWY_DYNAMIC_DISPATCH(energy_of_rows_of)(unary, common, gain, q, pixels, labels);
}

void sum_rows(const float* rows, std::int64_t pixels, int labels, float* sums) {
  HWY_DYNAMIC_DISPATCH(sum_rows_of)(rows, pixels, labels, sums);
}

void subtract_costs(const float* columns, float factor, const float* message, std::int64_t pixels,
                    int labels, float* gain) {
  HWY_DYNAMIC_DISPATCH(subtract_costs_of)(columns, factor, message, pixels, labels, gain);
}

bool negative_logs(const float* p, int count, float floor, float* energies, float* sums) {
  return HWY_DYNAMIC_DISPATCH(negative_logs_of)(p, count, floor, energies, sums);
}

}  // namespace segmentum
#endif  // HWY_ONCE
