// Values of one row lie together in memory whatever the block, so these kernels see rows of floats.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/pointwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

using Wide = hn::ScalableTag<float>;

/// Calls body(n, channel_block, y) for every row, in parallel.
template <typename Body>
void for_rows(const View& x, const Body& body) {
  const std::int64_t rows = x.shape.h(), blocks = x.blocks();
  parallel_for(x.shape.n() * blocks * rows,
               [&](std::int64_t i) { body(i / rows / blocks, i / rows % blocks, i % rows); });
}

/// out[i] = f(vector i of each input row), the tail through a masked copy of the same vector code.
template <class F>
HWY_INLINE void map_row(std::int64_t count, const float* a, const float* b, float* out, bool add,
                        const F& f) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto v = f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    if (add) v = hn::Add(v, hn::LoadU(d, out + i));
    hn::StoreU(v, d, out + i);
  }
  if (i < count) {
    HWY_ALIGN float ta[HWY_MAX_BYTES / 4] = {}, tb[HWY_MAX_BYTES / 4] = {};
    for (std::int64_t k = i; k < count; ++k) ta[k - i] = a[k], tb[k - i] = b[k];
    hn::Store(f(d, hn::Load(d, ta), hn::Load(d, tb)), d, ta);
    for (std::int64_t k = i; k < count; ++k) out[k] = add ? out[k] + ta[k - i] : ta[k - i];
  }
}

template <class F>
void map(const View& a, const View& b, const View& out, bool add, const F& f) {
  for_rows(out, [&](std::int64_t n, std::int64_t cb, std::int64_t y) {
    map_row(out.row(), a.at(n, cb, y), b.at(n, cb, y), out.at(n, cb, y), add, f);
  });
}

void Copy(const View& from, const View& to, bool add) {
  map(from, from, to, add, [](auto, auto v, auto) HWY_ATTR { return v; });
}

void AddValues(const View& a, const View& b, Activation activation, const View& y) {
  map(a, b, y, false, [=](auto d, auto u, auto v) HWY_ATTR {
    return rectify(d, hn::Add(u, v), activation.kind, hn::Set(d, activation.slope));
  });
}

/// 1/(1+exp(-x)) by the C library, lane for lane: rare in these networks, and exact.
void SigmoidRow(const float* x, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = 1.0f / (1.0f + std::exp(-x[i]));
}

/// Sigmoids make values of the zeros that pad the last block: clear them again.
void ClearPaddedChannels(const View& y) {
  const std::int64_t used = y.shape.c() % y.block;
  if (used == 0) return;
  parallel_for(y.shape.n(), [&](std::int64_t n) {
    float* p = y.at(n, y.blocks() - 1);
    for (std::int64_t i = 0; i < y.shape.h() * y.shape.w(); ++i) {
      for (std::int64_t c = used; c < y.block; ++c) p[i * y.block + c] = 0;
    }
  });
}

void Activate(const View& x, Activation activation, const View& y) {
  switch (activation.kind) {
    case ActivationKind::none:
      return Copy(x, y, false);
    case ActivationKind::relu:
    case ActivationKind::leaky_relu:
      return map(x, x, y, false, [=](auto d, auto v, auto) HWY_ATTR {
        return rectify(d, v, activation.kind, hn::Set(d, activation.slope));
      });
    case ActivationKind::relu6:
      return map(x, x, y, false, [](auto d, auto v, auto) HWY_ATTR {
        return hn::Min(hn::Max(v, hn::Zero(d)), hn::Set(d, 6.0f));
      });
    case ActivationKind::hard_swish:
      return map(x, x, y, false,
                 [](auto d, auto v, auto) HWY_ATTR { return hn::Mul(v, hard_sigmoid(d, v)); });
    case ActivationKind::gelu:
      return map(x, x, y, false, [](auto d, auto v, auto) HWY_ATTR { return gelu(d, v); });
    case ActivationKind::hard_sigmoid:
      map(x, x, y, false, [](auto d, auto v, auto) HWY_ATTR { return hard_sigmoid(d, v); });
      return ClearPaddedChannels(y);
    case ActivationKind::sigmoid:
      for_rows(y, [&](std::int64_t n, std::int64_t cb, std::int64_t row) {
        SigmoidRow(x.at(n, cb, row), y.row(), y.at(n, cb, row));
      });
      return ClearPaddedChannels(y);
  }
}

void ActivateBackward(const View& x, const View& dy, Activation activation, const View& dx,
                      bool add) {
  switch (activation.kind) {
    case ActivationKind::none:
      return Copy(dy, dx, add);
    case ActivationKind::relu:
      return map(x, dy, dx, add, [](auto d, auto v, auto g) HWY_ATTR {
        return hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), g);
      });
    case ActivationKind::leaky_relu:
      return map(x, dy, dx, add, [=](auto d, auto v, auto g) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), g, hn::Mul(g, hn::Set(d, activation.slope)));
      });
    case ActivationKind::relu6:
      return map(x, dy, dx, add, [](auto d, auto v, auto g) HWY_ATTR {
        const auto inside = hn::And(hn::Gt(v, hn::Zero(d)), hn::Lt(v, hn::Set(d, 6.0f)));
        return hn::IfThenElseZero(inside, g);
      });
    case ActivationKind::hard_sigmoid:
      return map(x, dy, dx, add, [](auto d, auto v, auto g) HWY_ATTR {
        const auto inside = hn::Lt(hn::Abs(v), hn::Set(d, 3.0f));
        return hn::IfThenElseZero(inside, hn::Mul(g, hn::Set(d, 1.0f / 6.0f)));
      });
    case ActivationKind::hard_swish:
      return map(x, dy, dx, add,
                 [](auto d, auto v, auto g) HWY_ATTR { return hard_swish_gradient(d, v, g); });
    case ActivationKind::gelu:
      return map(x, dy, dx, add,
                 [](auto d, auto v, auto g) HWY_ATTR { return gelu_gradient(d, v, g); });
    case ActivationKind::sigmoid:
      for_rows(dx, [&](std::int64_t n, std::int64_t cb, std::int64_t row) {
        const float* in = x.at(n, cb, row);
        const float* g = dy.at(n, cb, row);
        float* out = dx.at(n, cb, row);
        for (std::int64_t i = 0; i < dx.row(); ++i) {
          const float s = 1.0f / (1.0f + std::exp(-in[i]));
          const float value = g[i] * s * (1 - s);
          out[i] = add ? out[i] + value : value;
        }
      });
  }
}

/// y = a * b with b one vector of channels for each image.
template <int B>
void ScaleChannels(const View& a, const View& b, const View& y, bool add) {
  for_rows(y, [&](std::int64_t n, std::int64_t cb, std::int64_t row) {
    const float* in = a.at(n, cb, row);
    const float* factor = b.at(n, cb);
    float* out = y.at(n, cb, row);
    for (std::int64_t i = 0; i < y.shape.w(); ++i) {
      for (int c = 0; c < B; ++c) {
        const float value = in[i * B + c] * factor[c];
        out[i * B + c] = add ? out[i * B + c] + value : value;
      }
    }
  });
}

template <int B>
void PlaneProducts(const View& a, const View& dy, const View& db, bool add) {
  parallel_for(a.shape.n() * a.blocks(), [&](std::int64_t i) {
    const std::int64_t n = i / a.blocks(), cb = i % a.blocks();
    double sums[B] = {};
    for (std::int64_t y = 0; y < a.shape.h(); ++y) {
      const float *p = a.at(n, cb, y), *q = dy.at(n, cb, y);
      float row[B] = {};
      for (std::int64_t x = 0; x < a.shape.w(); ++x) {
        for (int c = 0; c < B; ++c) row[c] += p[x * B + c] * q[x * B + c];
      }
      for (int c = 0; c < B; ++c) sums[c] += row[c];
    }
    float* out = db.at(n, cb);
    for (int c = 0; c < B; ++c) out[c] = static_cast<float>(add ? out[c] + sums[c] : sums[c]);
  });
}

bool broadcast(const View& a, const View& b) {
  return a.shape != b.shape;
}

void Product(const View& a, const View& b, const View& y, bool add) {
  if (!broadcast(a, b)) {
    return map(a, b, y, add, [](auto, auto u, auto v) HWY_ATTR { return hn::Mul(u, v); });
  }
  with_block(a.block, [&](auto block) { ScaleChannels<block>(a, b, y, add); });
}

void MultiplyBackward(const View& a, const View& b, const View& dy, const View& da, bool add_a,
                      const View& db, bool add_b) {
  if (da.data != nullptr) Product(dy, b, da, add_a);
  if (db.data == nullptr) return;
  if (!broadcast(a, b)) return Product(dy, a, db, add_b);
  with_block(a.block, [&](auto block) { PlaneProducts<block>(a, dy, db, add_b); });
}

void Maximum(const View& a, const View& b, const View& y) {
  map(a, b, y, false, [](auto, auto u, auto v) HWY_ATTR { return hn::Max(u, v); });
}

void MaximumBackward(const View& a, const View& b, const View& dy, const View& da, bool add) {
  for_rows(da, [&](std::int64_t n, std::int64_t cb, std::int64_t row) {
    const float *own = a.at(n, cb, row), *other = b.at(n, cb, row), *g = dy.at(n, cb, row);
    float* out = da.at(n, cb, row);
    for (std::int64_t i = 0; i < da.row(); ++i) {
      const float share = own[i] > other[i] ? 1.0f : own[i] == other[i] ? 0.5f : 0.0f;
      out[i] = add ? out[i] + g[i] * share : g[i] * share;
    }
  });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Copy);
HWY_EXPORT(AddValues);
HWY_EXPORT(ClearPaddedChannels);
HWY_EXPORT(Activate);
HWY_EXPORT(ActivateBackward);
HWY_EXPORT(Product);
HWY_EXPORT(MultiplyBackward);
HWY_EXPORT(Maximum);
HWY_EXPORT(MaximumBackward);

void copy(const View& from, const View& to, bool add) {
  HWY_DYNAMIC_DISPATCH(Copy)(from, to, add);
}

void add(const View& a, const View& b, Activation activation, const View& y) {
  HWY_DYNAMIC_DISPATCH(AddValues)(a, b, activation, y);
}

void clear_padded_channels(const View& x) {
  HWY_DYNAMIC_DISPATCH(ClearPaddedChannels)(x);
}

void activate(const View& x, Activation activation, const View& y) {
  HWY_DYNAMIC_DISPATCH(Activate)(x, activation, y);
}

void activate_backward(const View& x, const View& dy, Activation activation, const View& dx,
                       bool add_to) {
  HWY_DYNAMIC_DISPATCH(ActivateBackward)(x, dy, activation, dx, add_to);
}

void multiply(const View& a, const View& b, const View& y) {
  HWY_DYNAMIC_DISPATCH(Product)(a, b, y, false);
}

void multiply_backward(const View& a, const View& b, const View& dy, const View& da, bool add_a,
                       const View& db, bool add_b) {
  HWY_DYNAMIC_DISPATCH(MultiplyBackward)(a, b, dy, da, add_a, db, add_b);
}

void maximum(const View& a, const View& b, const View& y) {
  HWY_DYNAMIC_DISPATCH(Maximum)(a, b, y);
}

void maximum_backward(const View& a, const View& b, const View& dy, const View& da, bool add_to) {
  HWY_DYNAMIC_DISPATCH(MaximumBackward)(a, b, dy, da, add_to);
}

}  // namespace segmentum::cpu
#endif
