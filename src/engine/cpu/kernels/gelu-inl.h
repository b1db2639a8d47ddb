// x times the normal distribution below x, and its slope: included once for each instruction set.
#if defined(SEGMENTUM_CPU_GELU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_GELU_INL_H_
#undef SEGMENTUM_CPU_GELU_INL_H_
#else
#define SEGMENTUM_CPU_GELU_INL_H_
#endif

#include <hwy/highway.h>

#include "base/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(-x^2/2), and the share of the normal distribution below x.
template <class V>
struct NormalCurve {
  V height;
  V below;
};

// Below -|x| lies exp(-x^2/2) * q(t) with t = 1 / (1 + 0.3 |x|); q(t) / t is close to a polynomial
// (the form is that of Abramowitz and Stegun, 7.1.26). Ours is of degree 7, fitted at Chebyshev's
// points of |x| <= 13, where single precision ends: 1.4e-7 off in proportion, rounding left aside.
template <class D, class V = hn::Vec<D>>
HWY_INLINE NormalCurve<V> normal_curve(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V t = hn::Div(one, hn::MulAdd(hn::Abs(x), hn::Set(d, 0.3f), one));
  V p = hn::Set(d, 0.0366077609f);
  for (float coefficient : {-0.160995454f, 0.212721705f, -0.0593914688f, 0.131501377f,
                            0.0990459397f, 0.120889492f, 0.119620658f}) {
    p = hn::MulAdd(p, t, hn::Set(d, coefficient));
  }
  const V height =
      segmentum::HWY_NAMESPACE::exp_negative(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f)));
  const V tail = hn::Mul(hn::Mul(p, t), height);
  return {height, hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(one, tail), tail)};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V gelu(D d, V x) {
  return hn::Mul(x, normal_curve(d, x).below);
}

/// dy times the slope of gelu: the share below x, plus x times the density.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V gelu_gradient(D d, V x, V dy) {
  const NormalCurve<V> curve = normal_curve(d, x);
  const V density = hn::Mul(curve.height, hn::Set(d, 0.398942280f));  // 1 / sqrt(2 pi)
  return hn::Mul(dy, hn::MulAdd(x, density, curve.below));
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
