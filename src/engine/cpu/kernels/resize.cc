// Which two rows and columns a result lies between, and where between them, is the same for all
// channels and found beforehand (resize_taps.h): a result is a blend of four vectors, or a copy.
// Backward, results share source pixels: one thread sums a plane, in one order.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/resize.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/resize_taps.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

template <int B>
void ResizeOf(const View& x, Interpolation mode, const std::vector<ResizeTap>& rows,
              const std::vector<ResizeTap>& columns, const View& y) {
  const std::int64_t height = y.shape.h(), blocks = y.blocks();
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t oy = i % height, cb = i / height % blocks, n = i / height / blocks;
    const ResizeTap& row = rows[static_cast<std::size_t>(oy)];
    const float* above = x.at(n, cb, row.first);
    const float* below = x.at(n, cb, row.second);
    float* out = y.at(n, cb, oy);
    if (mode == Interpolation::nearest) {
      for (const ResizeTap& column : columns) {
        std::memcpy(out, above + column.first * B, sizeof(float) * B);
        out += B;
      }
      return;
    }
    // Rows before columns, as in resize_plain.cc: a tile may run the one kernel, the picture the
    // other.
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const auto blend = [](auto from, auto to, auto weight)
                             HWY_ATTR { return hn::MulAdd(hn::Sub(to, from), weight, from); };
      const auto down = hn::Set(d, row.weight);
      float* to = out + lane;
      for (const ResizeTap& column : columns) {
        const std::int64_t a = column.first * B, b = column.second * B;
        const auto right = hn::Set(d, column.weight);
        const auto left =
            blend(hn::LoadU(d, above + a + lane), hn::LoadU(d, below + a + lane), down);
        const auto other =
            blend(hn::LoadU(d, above + b + lane), hn::LoadU(d, below + b + lane), down);
        hn::StoreU(blend(left, other, right), d, to);
        to += B;
      }
    });
  });
}

/// Each plane in one thread and one order: several results share a source pixel.
template <int B>
void ResizeBackwardOf(const View& dy, Interpolation mode, const std::vector<ResizeTap>& rows,
                      const std::vector<ResizeTap>& columns, const View& dx, bool add) {
  const std::int64_t blocks = dx.blocks();
  parallel_for(dx.shape.n() * blocks, [&](std::int64_t i) {
    const std::int64_t cb = i % blocks, n = i / blocks;
    if (!add) {
      std::memset(dx.at(n, cb), 0, sizeof(float) * static_cast<std::size_t>(dx.plane()));
    }
    for (std::int64_t oy = 0; oy < dy.shape.h(); ++oy) {
      const ResizeTap& row = rows[static_cast<std::size_t>(oy)];
      const float down = mode == Interpolation::nearest ? 0.0f : row.weight;
      float* above = dx.at(n, cb, row.first);
      float* below = dx.at(n, cb, row.second);
      const float* g = dy.at(n, cb, oy);
      for (const ResizeTap& column : columns) {
        const float right = mode == Interpolation::nearest ? 0.0f : column.weight;
        const std::int64_t a = column.first * B, b = column.second * B;
        for (int c = 0; c < B; ++c) {
          above[a + c] += g[c] * (1 - down) * (1 - right);
          above[b + c] += g[c] * (1 - down) * right;
          below[a + c] += g[c] * down * (1 - right);
          below[b + c] += g[c] * down * right;
        }
        g += B;
      }
    }
  });
}

void Resize(const View& x, Interpolation mode, bool align_corners, const View& y) {
  const auto rows = resize_taps(x.shape.h(), y.shape.h(), mode, align_corners);
  const auto columns = resize_taps(x.shape.w(), y.shape.w(), mode, align_corners);
  with_block(x.block, [&](auto block) { ResizeOf<block>(x, mode, rows, columns, y); });
}

void ResizeBackward(const View& dy, Interpolation mode, bool align_corners, const View& dx,
                    bool add) {
  const auto rows = resize_taps(dx.shape.h(), dy.shape.h(), mode, align_corners);
  const auto columns = resize_taps(dx.shape.w(), dy.shape.w(), mode, align_corners);
  with_block(dx.block,
             [&](auto block) { ResizeBackwardOf<block>(dy, mode, rows, columns, dx, add); });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Resize);
HWY_EXPORT(ResizeBackward);

void resize(const View& x, Interpolation mode, bool align_corners, const View& y) {
  HWY_DYNAMIC_DISPATCH(Resize)(x, mode, align_corners, y);
}

void resize_backward(const View& dy, Interpolation mode, bool align_corners, const View& dx,
                     bool add) {
  HWY_DYNAMIC_DISPATCH(ResizeBackward)(dy, mode, align_corners, dx, add);
}

}  // namespace segmentum::cpu
#endif
