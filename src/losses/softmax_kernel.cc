#include "losses/softmax_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "losses/softmax_kernel.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "base/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum {
namespace HWY_NAMESPACE {

// body(d, i) over [0, count): whole vectors first, then single lanes of the same arithmetic.
template <class Body>
HWY_INLINE void for_each_lane(int count, const Body& body) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d1;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  for (; i + lanes <= count; i += lanes) body(d, i);
  for (; i < count; ++i) body(d1, i);
}

void softmax_sums_of(PixelBlock<const float> logits, PixelBlock<float> exponentials,
                     float* HWY_RESTRICT maximum, float* HWY_RESTRICT sum) {
  for_each_lane(logits.pixels, [&](auto d, int i) {
    hn::StoreU(hn::LoadU(d, logits.data + i), d, maximum + i);
    hn::StoreU(hn::Zero(d), d, sum + i);
  });
  for (int k = 1; k < logits.classes; ++k) {
    const float* x = logits.data + k * logits.plane;
    for_each_lane(logits.pixels, [&](auto d, int i) {
      hn::StoreU(hn::Max(hn::LoadU(d, maximum + i), hn::LoadU(d, x + i)), d, maximum + i);
    });
  }
  for (int k = 0; k < logits.classes; ++k) {
    const float* x = logits.data + k * logits.plane;
    float* e = exponentials.data ? exponentials.data + k * exponentials.plane : nullptr;
    for_each_lane(logits.pixels, [&](auto d, int i) {
      const auto value = exp_negative(d, hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, maximum + i)));
      hn::StoreU(hn::Add(hn::LoadU(d, sum + i), value), d, sum + i);
      if (e) hn::StoreU(value, d, e + i);
    });
  }
}

void scale_pixels_of(PixelBlock<float> values, const float* HWY_RESTRICT factor) {
  for (int k = 0; k < values.classes; ++k) {
    float* x = values.data + k * values.plane;
    for_each_lane(values.pixels, [&](auto d, int i) {
      const auto f = hn::LoadU(d, factor + i);
      const auto scaled = hn::Mul(hn::LoadU(d, x + i), f);
      hn::StoreU(hn::IfThenZeroElse(hn::Eq(f, hn::Zero(d)), scaled), d, x + i);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace segmentum
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum {

HWY_EXPORT(softmax_sums_of);
HWY_EXPORT(scale_pixels_of);

void softmax_sums(PixelBlock<const float> logits, PixelBlock<float> exponentials, float* maximum,
                  float* sum) {
  HWY_DYNAMIC_DISPATCH(softmax_sums_of)(logits, exponentials, maximum, sum);
}

void scale_pixels(PixelBlock<float> values, const float* factor) {
  HWY_DYNAMIC_DISPATCH(scale_pixels_of)(values, factor);
}

}  // namespace segmentum
#endif  // HWY_ONCE
