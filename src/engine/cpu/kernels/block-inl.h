// One block of channels as vectors: included once for each instruction set by the kernels.
#if defined(SEGMENTUM_CPU_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_BLOCK_INL_H_
#undef SEGMENTUM_CPU_BLOCK_INL_H_
#else
#define SEGMENTUM_CPU_BLOCK_INL_H_
#endif

#include <hwy/highway.h>

#include "engine/cpu/layout.h"
#include "graph/operators.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <int B>
using Lanes = hn::CappedTag<float, B>;

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

/// The same and relu6.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V apply(D d, V v, const Activation& activation) {
  if (activation.kind == ActivationKind::relu6) {
    return hn::Min(hn::Max(v, hn::Zero(d)), hn::Set(d, 6.0f));
  }
  return rectify(d, v, activation.kind, hn::Set(d, activation.slope));
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
