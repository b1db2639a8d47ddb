// Rows as vectors: included once for each instruction set by the kernels.
#if defined(SEGMENTUM_CRF_ROW_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CRF_ROW_VECTORS_INL
#undef SEGMENTUM_CRF_ROW_VECTORS_INL
#else
#define SEGMENTUM_CRF_ROW_VECTORS_INL
#endif

#include <hwy/highway.h>

#include <type_traits>

#include "crf/rows.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using RowTag = hn::CappedTag<float, kRowUnit>;
using RowVector = hn::Vec<RowTag>;
constexpr int kRowLanes = static_cast<int>(hn::MaxLanes(RowTag()));

/// body(vectors, column) for groups of columns of a row: `vectors`, a constant of 1..4 * kRowUnit
/// floats in vectors, from `column` on.
template <class Body>
HWY_INLINE void for_columns(int stride, const Body& body) {
  constexpr int kVectors = kRowUnit / kRowLanes;
  int column = 0;
  for (; column + 4 * kRowUnit <= stride; column += 4 * kRowUnit) {
    body(std::integral_constant<int, 4 * kVectors>{}, column);
  }
  switch ((stride - column) / kRowUnit) {
    case 3:
      return body(std::integral_constant<int, 3 * kVectors>{}, column);
    case 2:
      return body(std::integral_constant<int, 2 * kVectors>{}, column);
    case 1:
      return body(std::integral_constant<int, kVectors>{}, column);
    default:
      return;
  }
}

template <int kVectors>
HWY_INLINE void load_row(RowTag d, const float* from, RowVector* row) {
  for (int v = 0; v < kVectors; ++v) row[v] = hn::Load(d, from + v * kRowLanes);
}

template <int kVectors>
HWY_INLINE void store_row(RowTag d, const RowVector* row, float* to) {
  for (int v = 0; v < kVectors; ++v) hn::Store(row[v], d, to + v * kRowLanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace segmentum
HWY_AFTER_NAMESPACE();
#endif  // include guard
