// exp of numbers that are not positive, as softmax needs it: included once for each instruction
// set.
#if defined(SEGMENTUM_BASE_EXPONENTIAL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_BASE_EXPONENTIAL_INL
#undef SEGMENTUM_BASE_EXPONENTIAL_INL
#else
#define SEGMENTUM_BASE_EXPONENTIAL_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace segmentum {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// exp(x) for x <= 0 within 2 ulp: x = n ln 2 + r, a polynomial for exp(r), then n into the exponent
// (Cephes expf). Zero below -87, where single precision ends; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_negative(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto too_small = hn::Lt(x, hn::Set(d, -87.0f));
  const V bounded = hn::IfThenElse(too_small, hn::Zero(d), x);
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the lowest bits.
  const V round = hn::Set(d, 12582912.0f);
  const V shifted = hn::MulAdd(bounded, hn::Set(d, 1.44269504f), round);
  const V n_real = hn::Sub(shifted, round);
  V r = hn::NegMulAdd(n_real, hn::Set(d, 0.693359375f), bounded);
  r = hn::NegMulAdd(n_real, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::Set(d, 1.9875691500e-4f);
  for (float coefficient :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f}) {
    p = hn::MulAdd(p, r, hn::Set(d, coefficient));
  }
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto power = hn::Add(hn::ShiftLeft<23>(hn::BitCast(di, shifted)), hn::Set(di, 127 << 23));
  return hn::IfThenZeroElse(too_small, hn::Mul(p, hn::BitCast(d, power)));
}

}  // namespace HWY_NAMESPACE
}  // namespace segmentum
HWY_AFTER_NAMESPACE();
#endif
