// One block of channels as vectors: included once for each instruction set by the kernels.
#if defined(SEGMENTUM_CPU_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_BLOCK_INL_H_
#undef SEGMENTUM_CPU_BLOCK_INL_H_
#else
#define SEGMENTUM_CPU_BLOCK_INL_H_
#endif

#include <hwy/highway.h>

#include <type_traits>

#include "engine/cpu/layout.h"
#include "graph/operators.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <int B>
using Lanes = hn::CappedTag<float, B>;

/// Calls body(b) with the block as a constant. Blocks of 16 occur only where a vector has 16 lanes
/// (see vector_block): elsewhere nothing is compiled for them.
template <typename Body>
void with_block(int block, const Body& body) {
  if constexpr (HWY_TARGET <= HWY_AVX3) {
    if (block == 16) return body(std::integral_constant<int, 16>{});
  }
  body(std::integral_constant<int, 8>{});
}

/// Calls body(lane) for each vector of a block; one call where a block is one vector.
template <int B, typename Body>
HWY_INLINE void for_lanes(const Body& body) {
  const Lanes<B> d;
  for (std::size_t lane = 0; lane < static_cast<std::size_t>(B); lane += hn::Lanes(d)) body(lane);
}

/// relu, leaky_relu or none on a vector.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V rectify(D d, V v, ActivationKind kind, V slope) {
  if (kind == ActivationKind::relu) return hn::Max(v, hn::Zero(d));
  if (kind == ActivationKind::leaky_relu) {
    return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, slope));
  }
  return v;
}

/// relu6(x + 3) / 6
template <class D, class V = hn::Vec<D>>
HWY_INLINE V hard_sigmoid(D d, V x) {
  const V six = hn::Set(d, 6.0f);
  const V clipped = hn::Min(hn::Max(hn::Add(x, hn::Set(d, 3.0f)), hn::Zero(d)), six);
  return hn::Mul(clipped, hn::Set(d, 1.0f / 6.0f));
}

/// dy times the slope of x * hard_sigmoid(x).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V hard_swish_gradient(D d, V x, V dy) {
  const V three = hn::Set(d, 3.0f);
  const V slope = hn::MulAdd(x, hn::Set(d, 1.0f / 3.0f), hn::Set(d, 0.5f));
  const V inner = hn::IfThenElseZero(hn::Ge(x, hn::Neg(three)), hn::Mul(dy, slope));
  return hn::IfThenElse(hn::Gt(x, three), dy, inner);
}

/// An activation that `keeps_zero` of T vectors, asking only once which it is.
template <int T, class D, class V = hn::Vec<D>>
HWY_INLINE void activate_vectors(D d, const Activation& activation, V* v) {
  const V zero = hn::Zero(d), slope = hn::Set(d, activation.slope);
  switch (activation.kind) {
    case ActivationKind::relu:
      for (int t = 0; t < T; ++t) v[t] = hn::Max(v[t], zero);
      break;
    case ActivationKind::relu6:
      for (int t = 0; t < T; ++t) v[t] = hn::Min(hn::Max(v[t], zero), hn::Set(d, 6.0f));
      break;
    case ActivationKind::leaky_relu:
      for (int t = 0; t < T; ++t) {
        v[t] = hn::IfThenElse(hn::Gt(v[t], zero), v[t], hn::Mul(v[t], slope));
      }
      break;
    case ActivationKind::hard_swish:
      for (int t = 0; t < T; ++t) v[t] = hn::Mul(v[t], hard_sigmoid(d, v[t]));
      break;
    default:
      break;
  }
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
