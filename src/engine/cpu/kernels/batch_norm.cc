// Sums are taken over strips of rows, each strip in one thread and one order, and joined in double:
// the same bits for any thread count.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/batch_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

constexpr std::int64_t kStripFloats = 16384;

struct Strips {
  std::int64_t rows;   // rows of one strip
  std::int64_t count;  // strips of one plane
  explicit Strips(const View& x)
      : rows(std::max<std::int64_t>(1, kStripFloats / std::max<std::int64_t>(1, x.row()))),
        count((x.shape.h() + rows - 1) / rows) {}
};

/// Calls body(n, channel_block, strip, first_row, end_row) for every strip, in parallel.
template <typename Body>
void for_strips(const View& x, const Body& body) {
  const Strips strips(x);
  const std::int64_t blocks = x.blocks();
  parallel_for(x.shape.n() * blocks * strips.count, [&](std::int64_t i) {
    const std::int64_t strip = i % strips.count;
    const std::int64_t cb = i / strips.count % blocks;
    const std::int64_t n = i / strips.count / blocks;
    const std::int64_t first = strip * strips.rows;
    body(n, cb, strip, first, std::min(first + strips.rows, x.shape.h()));
  });
}

std::int64_t ReductionFloats(const View& x) {
  return x.shape.n() * x.blocks() * Strips(x).count * 2 * x.block;
}

/// Joins the strips' two sums of each channel: result(channel, first sum, second sum).
template <typename Result>
void join(const View& x, const float* partial, const Result& result) {
  const std::int64_t count = Strips(x).count;
  for (std::int64_t cb = 0; cb < x.blocks(); ++cb) {
    for (int lane = 0; lane < x.block; ++lane) {
      double a = 0, b = 0;
      for (std::int64_t n = 0; n < x.shape.n(); ++n) {
        for (std::int64_t strip = 0; strip < count; ++strip) {
          const float* p = partial + ((n * x.blocks() + cb) * count + strip) * 2 * x.block;
          a += p[lane];
          b += p[x.block + lane];
        }
      }
      result(cb * x.block + lane, a, b);
    }
  }
}

template <int B>
void MomentsOf(const View& x, ChannelMoments moments, float* scratch) {
  const std::int64_t count = Strips(x).count;
  for_strips(x, [&](std::int64_t n, std::int64_t cb, std::int64_t strip, std::int64_t first,
                    std::int64_t end) {
    float* out = scratch + ((n * x.blocks() + cb) * count + strip) * 2 * B;
    const float* start = x.at(0, cb);
    const float* p = x.at(n, cb, first);
    const std::int64_t pixels = (end - first) * x.shape.w();
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const auto origin = hn::LoadU(d, start + lane);
      auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), square0 = hn::Zero(d), square1 = hn::Zero(d);
      std::int64_t i = 0;
      for (; i + 1 < pixels; i += 2) {
        const auto a = hn::Sub(hn::LoadU(d, p + i * B + lane), origin);
        const auto b = hn::Sub(hn::LoadU(d, p + (i + 1) * B + lane), origin);
        sum0 = hn::Add(sum0, a);
        sum1 = hn::Add(sum1, b);
        square0 = hn::MulAdd(a, a, square0);
        square1 = hn::MulAdd(b, b, square1);
      }
      if (i < pixels) {
        const auto a = hn::Sub(hn::LoadU(d, p + i * B + lane), origin);
        sum0 = hn::Add(sum0, a);
        square0 = hn::MulAdd(a, a, square0);
      }
      hn::StoreU(hn::Add(sum0, sum1), d, out + lane);
      hn::StoreU(hn::Add(square0, square1), d, out + B + lane);
    });
  });
  const double pixels = static_cast<double>(x.shape.n() * x.shape.h() * x.shape.w());
  join(x, scratch, [&](std::int64_t c, double sum, double square) {
    const double mean = sum / pixels;
    moments.mean[c] = static_cast<float>(x.at(0, c / B)[c % B] + mean);
    moments.variance[c] = static_cast<float>(std::max(0.0, square / pixels - mean * mean));
  });
}

void BatchMoments(const View& x, ChannelMoments moments, float* scratch) {
  with_block(x.block, [&](auto block) { MomentsOf<block>(x, moments, scratch); });
}

template <int B>
void ScaleShiftOf(const View& x, const float* scale, const float* shift, Activation activation,
                  const View& y) {
  for_strips(
      x, [&](std::int64_t n, std::int64_t cb, std::int64_t, std::int64_t first, std::int64_t end) {
        const float* from = x.at(n, cb, first);
        float* to = y.at(n, cb, first);
        const std::int64_t pixels = (end - first) * x.shape.w();
        for_lanes<B>([&](std::size_t lane) HWY_ATTR {
          const Lanes<B> d;
          const auto a = hn::LoadU(d, scale + cb * B + lane);
          const auto b = hn::LoadU(d, shift + cb * B + lane);
          constexpr int kPixels = 4;
          std::int64_t i = 0;
          for (; i + kPixels <= pixels; i += kPixels) {
            hn::Vec<Lanes<B>> v[kPixels];
            for (int k = 0; k < kPixels; ++k) {
              v[k] = hn::MulAdd(hn::LoadU(d, from + (i + k) * B + lane), a, b);
            }
            activate_vectors<kPixels>(d, activation, v);
            for (int k = 0; k < kPixels; ++k) hn::StoreU(v[k], d, to + (i + k) * B + lane);
          }
          for (; i < pixels; ++i) {
            auto v = hn::MulAdd(hn::LoadU(d, from + i * B + lane), a, b);
            activate_vectors<1>(d, activation, &v);
            hn::StoreU(v, d, to + i * B + lane);
          }
        });
      });
}

void ScaleShift(const View& x, const float* scale, const float* shift, Activation activation,
                const View& y) {
  with_block(x.block, [&](auto block) { ScaleShiftOf<block>(x, scale, shift, activation, y); });
}

/// dy through the activation whose input was v.
template <ActivationKind Kind, class D, class V = hn::Vec<D>>
HWY_INLINE V through(D d, V dy, V v, V slope) {
  if constexpr (Kind == ActivationKind::none) return dy;
  if constexpr (Kind == ActivationKind::hard_swish) return hard_swish_gradient(d, v, dy);
  const auto positive = hn::Gt(v, hn::Zero(d));
  if constexpr (Kind == ActivationKind::relu) return hn::IfThenElseZero(positive, dy);
  if constexpr (Kind == ActivationKind::relu6) {
    return hn::IfThenElseZero(hn::And(positive, hn::Lt(v, hn::Set(d, 6.0f))), dy);
  }
  return hn::IfThenElse(positive, dy, hn::Mul(dy, slope));
}

template <int B, ActivationKind Kind>
void BackwardOf(const View& x, const View& dy, const BatchNormGradient& g, const View& dx, bool add,
                float* scratch) {
  const std::int64_t count = Strips(x).count;
  for_strips(x, [&](std::int64_t n, std::int64_t cb, std::int64_t strip, std::int64_t first,
                    std::int64_t end) {
    float* out = scratch + ((n * x.blocks() + cb) * count + strip) * 2 * B;
    const float* p = x.at(n, cb, first);
    const float* q = dy.at(n, cb, first);
    const std::int64_t pixels = (end - first) * x.shape.w();
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const auto a = hn::LoadU(d, g.scale + cb * B + lane);
      const auto b = hn::LoadU(d, g.shift + cb * B + lane);
      const auto mean = hn::LoadU(d, g.mean + cb * B + lane);
      const auto slope = hn::Set(d, g.activation.slope);
      auto sum = hn::Zero(d), product = hn::Zero(d);
      for (std::int64_t i = 0; i < pixels; ++i) {
        const auto v = hn::LoadU(d, p + i * B + lane);
        const auto e = through<Kind>(d, hn::LoadU(d, q + i * B + lane), hn::MulAdd(v, a, b), slope);
        sum = hn::Add(sum, e);
        product = hn::MulAdd(e, hn::Sub(v, mean), product);
      }
      hn::StoreU(sum, d, out + lane);
      hn::StoreU(product, d, out + B + lane);
    });
  });
  join(x, scratch, [&](std::int64_t c, double sum, double product) {
    g.bias_gradient[c] = static_cast<float>(sum);
    g.weight_gradient[c] = static_cast<float>(product * g.inverse_deviation[c]);
  });
  // dx = scale * (e - mean(e) - xhat * mean(e * xhat)), e the gradient before the activation.
  const double pixels = static_cast<double>(x.shape.n() * x.shape.h() * x.shape.w());
  const float share = g.fixed_moments ? 0.0f : static_cast<float>(1.0 / pixels);
  for_strips(x, [&](std::int64_t n, std::int64_t cb, std::int64_t, std::int64_t first,
                    std::int64_t end) {
    const float* p = x.at(n, cb, first);
    const float* q = dy.at(n, cb, first);
    float* out = dx.at(n, cb, first);
    const std::int64_t count_pixels = (end - first) * x.shape.w();
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const std::int64_t c = cb * B + static_cast<std::int64_t>(lane);
      const auto a = hn::LoadU(d, g.scale + c);
      const auto b = hn::LoadU(d, g.shift + c);
      const auto slope = hn::Set(d, g.activation.slope);
      const auto weight = hn::Set(d, share);
      const auto deviation = hn::LoadU(d, g.inverse_deviation + c);
      // e * a - (v * k1 + k0): the two means folded into one multiply-add.
      const auto k1 =
          hn::Mul(hn::Mul(a, weight), hn::Mul(deviation, hn::LoadU(d, g.weight_gradient + c)));
      const auto k0 = hn::Sub(hn::Mul(hn::Mul(a, weight), hn::LoadU(d, g.bias_gradient + c)),
                              hn::Mul(k1, hn::LoadU(d, g.mean + c)));
      for (std::int64_t i = 0; i < count_pixels; ++i) {
        const auto v = hn::LoadU(d, p + i * B + lane);
        const auto e = through<Kind>(d, hn::LoadU(d, q + i * B + lane), hn::MulAdd(v, a, b), slope);
        auto result = hn::MulSub(e, a, hn::MulAdd(v, k1, k0));
        float* to = out + i * B + lane;
        if (add) result = hn::Add(result, hn::LoadU(d, to));
        hn::StoreU(result, d, to);
      }
    });
  });
}

template <ActivationKind Kind>
void BackwardAfter(const View& x, const View& dy, const BatchNormGradient& g, const View& dx,
                   bool add, float* scratch) {
  with_block(x.block, [&](auto block) { BackwardOf<block, Kind>(x, dy, g, dx, add, scratch); });
}

void BatchNormBackward(const View& x, const View& dy, const BatchNormGradient& g, const View& dx,
                       bool add, float* scratch) {
  switch (g.activation.kind) {
    case ActivationKind::relu:
      return BackwardAfter<ActivationKind::relu>(x, dy, g, dx, add, scratch);
    case ActivationKind::relu6:
      return BackwardAfter<ActivationKind::relu6>(x, dy, g, dx, add, scratch);
    case ActivationKind::leaky_relu:
      return BackwardAfter<ActivationKind::leaky_relu>(x, dy, g, dx, add, scratch);
    case ActivationKind::hard_swish:
      return BackwardAfter<ActivationKind::hard_swish>(x, dy, g, dx, add, scratch);
    default:
      return BackwardAfter<ActivationKind::none>(x, dy, g, dx, add, scratch);
  }
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(ReductionFloats);
HWY_EXPORT(BatchMoments);
HWY_EXPORT(ScaleShift);
HWY_EXPORT(BatchNormBackward);

std::int64_t reduction_floats(const View& x) {
  return HWY_DYNAMIC_DISPATCH(ReductionFloats)(x);
}

void batch_moments(const View& x, ChannelMoments moments, float* scratch) {
  HWY_DYNAMIC_DISPATCH(BatchMoments)(x, moments, scratch);
}

void scale_shift(const View& x, const float* scale, const float* shift, Activation activation,
                 const View& y) {
  HWY_DYNAMIC_DISPATCH(ScaleShift)(x, scale, shift, activation, y);
}

void batch_norm_backward(const View& x, const View& dy, const BatchNormGradient& g, const View& dx,
                         bool add, float* scratch) {
  HWY_DYNAMIC_DISPATCH(BatchNormBackward)(x, dy, g, dx, add, scratch);
}

}  // namespace segmentum::cpu
#endif
