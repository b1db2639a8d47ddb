// A window at a time, its channels as vectors. A maximum keeps which of its taps won, one byte for
// each result, so that the gradient finds its way back without the values. Where windows overlap,
// pixels have several gradients: then one thread sums a plane, in one order.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/pooling.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>
#include <limits>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// Calls body(n, channel_block) for every plane of a block, in parallel.
template <typename Body>
void for_planes(const View& x, const Body& body) {
  const std::int64_t blocks = x.blocks();
  parallel_for(x.shape.n() * blocks, [&](std::int64_t i) { body(i / blocks, i % blocks); });
}

/// The taps of window (oy, ox) that lie inside the picture.
struct Taps {
  std::int64_t y0, y1, x0, x1;  // window rows and columns in source pixels, clipped
  std::int64_t top, left;       // unclipped start
  Taps(const PoolWindow& w, std::int64_t oy, std::int64_t ox, std::int64_t h, std::int64_t width)
      : top(oy * w.stride.h - w.padding.top), left(ox * w.stride.w - w.padding.left) {
    y0 = std::max<std::int64_t>(top, 0);
    x0 = std::max<std::int64_t>(left, 0);
    y1 = std::min<std::int64_t>(top + w.kernel.h, h);
    x1 = std::min<std::int64_t>(left + w.kernel.w, width);
  }
};

/// One window: the maximum of each channel and which tap won; the first of equals wins.
template <int B>
HWY_INLINE void max_window(const float* plane, std::int64_t pitch, const Taps& t, int kernel_w,
                           float* out, std::uint8_t* winner) {
  const Lanes<B> d;
  const hn::RebindToSigned<Lanes<B>> di;
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    auto best = hn::Set(d, -std::numeric_limits<float>::infinity());
    auto index = hn::Zero(di);
    for (std::int64_t y = t.y0; y < t.y1; ++y) {
      for (std::int64_t x = t.x0; x < t.x1; ++x) {
        const auto v = hn::LoadU(d, plane + (y * pitch + x) * B + lane);
        const auto better = hn::Gt(v, best);
        const auto tap = static_cast<std::int32_t>((y - t.top) * kernel_w + (x - t.left));
        best = hn::IfThenElse(better, v, best);
        index = hn::IfThenElse(hn::RebindMask(di, better), hn::Set(di, tap), index);
      }
    }
    hn::StoreU(best, d, out + lane);
    if (winner != nullptr) {
      const hn::Rebind<std::uint8_t, decltype(di)> d8;
      hn::StoreU(hn::DemoteTo(d8, index), d8, winner + lane);
    }
  });
}

template <int B>
void MaxPoolOf(const View& x, const PoolWindow& window, const View& y, std::uint8_t* winners) {
  const std::int64_t rows = y.shape.h(), blocks = y.blocks();
  parallel_for(y.shape.n() * blocks * rows, [&](std::int64_t i) {
    const std::int64_t oy = i % rows, cb = i / rows % blocks, n = i / rows / blocks;
    float* out = y.at(n, cb, oy);
    std::uint8_t* won = winners == nullptr ? nullptr : winners + i * y.row();
    for (std::int64_t ox = 0; ox < y.shape.w(); ++ox) {
      const Taps taps(window, oy, ox, x.shape.h(), x.shape.w());
      max_window<B>(x.at(n, cb), x.row() / B, taps, window.kernel.w, out + ox * B,
                    won == nullptr ? nullptr : won + ox * B);
    }
  });
}

void MaxPool(const View& x, const PoolWindow& window, const View& y, std::uint8_t* winners) {
  with_block(x.block, [&](auto block) { MaxPoolOf<block>(x, window, y, winners); });
}

void clear_plane(const View& x, std::int64_t n, std::int64_t cb) {
  std::memset(x.at(n, cb), 0, sizeof(float) * static_cast<std::size_t>(x.plane()));
}

/// Windows of kernel == stride do not overlap: each source pixel is written once, in order.
template <int B>
void MaxPoolBackwardApart(const View& dy, const PoolWindow& window, const std::uint8_t* winners,
                          const View& dx, bool add) {
  const std::int64_t rows = dy.shape.h(), blocks = dy.blocks();
  const std::int64_t kh = window.kernel.h, kw = window.kernel.w;
  if (!add && (rows * kh != dx.shape.h() || dy.shape.w() * kw != dx.shape.w())) {
    for_planes(dx, [&](std::int64_t n, std::int64_t cb) { clear_plane(dx, n, cb); });
  }
  parallel_for(dy.shape.n() * blocks * rows, [&](std::int64_t i) {
    const std::int64_t oy = i % rows, cb = i / rows % blocks, n = i / rows / blocks;
    const float* g = dy.at(n, cb, oy);
    const std::uint8_t* won = winners + i * dy.row();
    const Lanes<B> d;
    const hn::RebindToSigned<Lanes<B>> di;
    const hn::Rebind<std::uint8_t, decltype(di)> d8;
    for (std::int64_t ox = 0; ox < dy.shape.w(); ++ox) {
      for (std::size_t lane = 0; lane < static_cast<std::size_t>(B); lane += hn::Lanes(d)) {
        const auto gradient = hn::LoadU(d, g + ox * B + lane);
        const auto winner = hn::PromoteTo(di, hn::LoadU(d8, won + ox * B + lane));
        for (std::int64_t ky = 0; ky < kh; ++ky) {
          for (std::int64_t kx = 0; kx < kw; ++kx) {
            const auto tap = hn::Set(di, static_cast<std::int32_t>(ky * kw + kx));
            float* to = dx.at(n, cb, oy * kh + ky) + (ox * kw + kx) * B + lane;
            auto v = hn::IfThenElseZero(hn::RebindMask(d, hn::Eq(winner, tap)), gradient);
            if (add) v = hn::Add(v, hn::LoadU(d, to));
            hn::StoreU(v, d, to);
          }
        }
      }
    }
  });
}

template <int B>
void MaxPoolBackwardOf(const View& dy, const PoolWindow& window, const std::uint8_t* winners,
                       const View& dx, bool add) {
  for_planes(dy, [&](std::int64_t n, std::int64_t cb) {
    if (!add) clear_plane(dx, n, cb);
    float* plane = dx.at(n, cb);
    const std::uint8_t* won = winners + (n * dy.blocks() + cb) * dy.plane();
    for (std::int64_t oy = 0; oy < dy.shape.h(); ++oy) {
      for (std::int64_t ox = 0; ox < dy.shape.w(); ++ox) {
        const float* g = dy.at(n, cb, oy) + ox * B;
        for (int c = 0; c < B; ++c) {
          const int tap = won[(oy * dy.shape.w() + ox) * B + c];
          const std::int64_t sy = oy * window.stride.h - window.padding.top + tap / window.kernel.w;
          const std::int64_t sx =
              ox * window.stride.w - window.padding.left + tap % window.kernel.w;
          if (sy >= 0 && sx >= 0 && sy < dx.shape.h() && sx < dx.shape.w()) {
            plane[(sy * dx.shape.w() + sx) * B + c] += g[c];
          }
        }
      }
    }
  });
}

void MaxPoolBackward(const View& dy, const PoolWindow& w, const std::uint8_t* winners,
                     const View& dx, bool add) {
  const bool apart = w.kernel == w.stride && w.padding == Padding(0) &&
                     dy.shape.h() * w.kernel.h <= dx.shape.h() &&
                     dy.shape.w() * w.kernel.w <= dx.shape.w();
  if (apart) {
    with_block(dy.block, [&](auto block) { MaxPoolBackwardApart<block>(dy, w, winners, dx, add); });
  } else {
    with_block(dy.block, [&](auto block) { MaxPoolBackwardOf<block>(dy, w, winners, dx, add); });
  }
}

/// 1 / the number of values that the mean of this window is over.
float mean_factor(const PoolWindow& window, const Taps& t, const View& x) {
  if (!window.count_padding) {
    return 1.0f / static_cast<float>(std::max<std::int64_t>(1, (t.y1 - t.y0) * (t.x1 - t.x0)));
  }
  // A window that hangs over the padded picture (ceil) counts only its part within.
  const std::int64_t h = std::min(t.top + window.kernel.h, x.shape.h() + window.padding.bottom);
  const std::int64_t w = std::min(t.left + window.kernel.w, x.shape.w() + window.padding.right);
  return 1.0f / static_cast<float>((h - t.top) * (w - t.left));
}

template <int B>
void AveragePoolOf(const View& x, const PoolWindow& window, const View& y) {
  for_planes(y, [&](std::int64_t n, std::int64_t cb) {
    const float* plane = x.at(n, cb);
    for (std::int64_t oy = 0; oy < y.shape.h(); ++oy) {
      for (std::int64_t ox = 0; ox < y.shape.w(); ++ox) {
        const Taps t(window, oy, ox, x.shape.h(), x.shape.w());
        float sum[B] = {};
        for (std::int64_t sy = t.y0; sy < t.y1; ++sy) {
          for (std::int64_t sx = t.x0; sx < t.x1; ++sx) {
            for (int c = 0; c < B; ++c) sum[c] += plane[(sy * x.shape.w() + sx) * B + c];
          }
        }
        const float factor = mean_factor(window, t, x);
        float* out = y.at(n, cb, oy) + ox * B;
        for (int c = 0; c < B; ++c) out[c] = sum[c] * factor;
      }
    }
  });
}

template <int B>
void AveragePoolBackwardOf(const View& dy, const PoolWindow& window, const View& dx, bool add) {
  for_planes(dy, [&](std::int64_t n, std::int64_t cb) {
    if (!add) clear_plane(dx, n, cb);
    float* plane = dx.at(n, cb);
    for (std::int64_t oy = 0; oy < dy.shape.h(); ++oy) {
      for (std::int64_t ox = 0; ox < dy.shape.w(); ++ox) {
        const Taps t(window, oy, ox, dx.shape.h(), dx.shape.w());
        const float factor = mean_factor(window, t, dx);
        const float* g = dy.at(n, cb, oy) + ox * B;
        for (std::int64_t sy = t.y0; sy < t.y1; ++sy) {
          for (std::int64_t sx = t.x0; sx < t.x1; ++sx) {
            float* to = plane + (sy * dx.shape.w() + sx) * B;
            for (int c = 0; c < B; ++c) to[c] += g[c] * factor;
          }
        }
      }
    }
  });
}

template <int B>
void GlobalAveragePoolOf(const View& x, const View& y) {
  for_planes(x, [&](std::int64_t n, std::int64_t cb) {
    double sums[B] = {};
    for (std::int64_t row = 0; row < x.shape.h(); ++row) {
      const float* p = x.at(n, cb, row);
      float part[B] = {};
      for (std::int64_t i = 0; i < x.shape.w(); ++i) {
        for (int c = 0; c < B; ++c) part[c] += p[i * B + c];
      }
      for (int c = 0; c < B; ++c) sums[c] += part[c];
    }
    float* out = y.at(n, cb);
    const auto pixels = static_cast<double>(x.shape.h() * x.shape.w());
    for (int c = 0; c < B; ++c) out[c] = static_cast<float>(sums[c] / pixels);
  });
}

template <int B>
void GlobalAveragePoolBackwardOf(const View& dy, const View& dx, bool add) {
  const float factor = 1.0f / static_cast<float>(dx.shape.h() * dx.shape.w());
  for_planes(dx, [&](std::int64_t n, std::int64_t cb) {
    const float* g = dy.at(n, cb);
    float* out = dx.at(n, cb);
    for (std::int64_t i = 0; i < dx.shape.h() * dx.shape.w(); ++i) {
      for (int c = 0; c < B; ++c) {
        out[i * B + c] = add ? out[i * B + c] + g[c] * factor : g[c] * factor;
      }
    }
  });
}

void AveragePool(const View& x, const PoolWindow& window, const View& y) {
  with_block(x.block, [&](auto block) { AveragePoolOf<block>(x, window, y); });
}

void AveragePoolBackward(const View& dy, const PoolWindow& window, const View& dx, bool add) {
  with_block(dy.block, [&](auto block) { AveragePoolBackwardOf<block>(dy, window, dx, add); });
}

void GlobalAveragePool(const View& x, const View& y) {
  with_block(x.block, [&](auto block) { GlobalAveragePoolOf<block>(x, y); });
}

void GlobalAveragePoolBackward(const View& dy, const View& dx, bool add) {
  with_block(dx.block, [&](auto block) { GlobalAveragePoolBackwardOf<block>(dy, dx, add); });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(MaxPool);
HWY_EXPORT(MaxPoolBackward);
HWY_EXPORT(AveragePool);
HWY_EXPORT(AveragePoolBackward);
HWY_EXPORT(GlobalAveragePool);
HWY_EXPORT(GlobalAveragePoolBackward);

void max_pool(const View& x, const PoolWindow& window, const View& y, std::uint8_t* winners) {
  HWY_DYNAMIC_DISPATCH(MaxPool)(x, window, y, winners);
}

void max_pool_backward(const View& dy, const PoolWindow& window, const std::uint8_t* winners,
                       const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(MaxPoolBackward)(dy, window, winners, dx, add);
}

void average_pool(const View& x, const PoolWindow& window, const View& y) {
  HWY_DYNAMIC_DISPATCH(AveragePool)(x, window, y);
}

void average_pool_backward(const View& dy, const PoolWindow& window, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(AveragePoolBackward)(dy, window, dx, add);
}

void global_average_pool(const View& x, const View& y) {
  HWY_DYNAMIC_DISPATCH(GlobalAveragePool)(x, y);
}

void global_average_pool_backward(const View& dy, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(GlobalAveragePoolBackward)(dy, dx, add);
}

}  // namespace segmentum::cpu
#endif
