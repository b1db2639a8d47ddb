// What moves values and hardly computes: between plain and blocked layout, in and out of
// concatenations, into padding, out of crops, between channels and space. Rows are copied as they
// lie; where channels must be picked out, a stretch at a time stays in the first cache.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/rearrange.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/mirror.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// Rows are moved in stretches whose blocks stay in the first cache while each channel is picked
/// out.
constexpr std::int64_t kStretch = 64;

/// Calls body(n, channel_block, y, first, end) for stretches of the rows of a blocked value.
template <typename Body>
void for_stretches(const View& blocked, const Body& body) {
  const std::int64_t height = blocked.shape.h(), blocks = blocked.blocks(), w = blocked.shape.w();
  parallel_for(blocked.shape.n() * blocks * height, [&](std::int64_t i) {
    for (std::int64_t first = 0; first < w; first += kStretch) {
      body(i / height / blocks, i / height % blocks, i % height, first,
           std::min(first + kStretch, w));
    }
  });
}

template <int B>
void PlainToBlocked(const View& from, const View& to, bool add) {
  for_stretches(to, [&](std::int64_t n, std::int64_t cb, std::int64_t y, std::int64_t first,
                        std::int64_t end) {
    const std::int64_t used = std::min<std::int64_t>(B, to.shape.c() - cb * B);
    float* out = to.at(n, cb, y);
    for (std::int64_t c = 0; c < used; ++c) {
      const float* in = from.at(n, cb * B + c, y);
      for (std::int64_t x = first; x < end; ++x) {
        out[x * B + c] = add ? out[x * B + c] + in[x] : in[x];
      }
    }
    for (std::int64_t c = used; c < B && !add; ++c) {
      for (std::int64_t x = first; x < end; ++x) out[x * B + c] = 0;
    }
  });
}

template <int B>
void BlockedToPlain(const View& from, const View& to, bool add) {
  for_stretches(from, [&](std::int64_t n, std::int64_t cb, std::int64_t y, std::int64_t first,
                          std::int64_t end) {
    const std::int64_t used = std::min<std::int64_t>(B, to.shape.c() - cb * B);
    const float* in = from.at(n, cb, y);
    for (std::int64_t c = 0; c < used; ++c) {
      float* out = to.at(n, cb * B + c, y);
      for (std::int64_t x = first; x < end; ++x) {
        out[x] = add ? out[x] + in[x * B + c] : in[x * B + c];
      }
    }
  });
}

void Reorder(const View& from, const View& to, bool add) {
  if (from.block == to.block) return copy(from, to, add);
  if (from.block == 1) {
    return with_block(to.block, [&](auto block) { PlainToBlocked<block>(from, to, add); });
  }
  with_block(from.block, [&](auto block) { BlockedToPlain<block>(from, to, add); });
}

/// Channels [first, first + count) of whole blocks.
View BlocksOf(const View& view, std::int64_t first, std::int64_t count) {
  View part = view;
  part.data = view.at(0, first / view.block);
  part.shape[1] = count;
  return part;
}

/// Whole blocks move as they lie; channels that straddle blocks move one by one.
void CopyChannels(const View& from, std::int64_t from_channel, const View& to,
                  std::int64_t to_channel, std::int64_t count, bool add) {
  const bool whole = from.block == to.block && from_channel % to.block == 0 &&
                     to_channel % to.block == 0 && count % to.block == 0;
  if (whole) {
    return copy(BlocksOf(from, from_channel, count), BlocksOf(to, to_channel, count), add);
  }
  const std::int64_t height = to.shape.h(), w = to.shape.w();
  const int fb = from.block, tb = to.block;
  parallel_for(to.shape.n() * count * height, [&](std::int64_t i) {
    const std::int64_t y = i % height, k = i / height % count, n = i / height / count;
    const std::int64_t a = from_channel + k, b = to_channel + k;
    const float* in = from.at(n, a / fb, y) + a % fb;
    float* out = to.at(n, b / tb, y) + b % tb;
    for (std::int64_t x = 0; x < w; ++x) {
      out[x * tb] = add ? out[x * tb] + in[x * fb] : in[x * fb];
    }
  });
}

/// Where row or column `i` of a padded axis comes from; -1: a zero.
std::vector<std::int64_t> SourceIndices(PadMode mode, std::int64_t before, std::int64_t in,
                                        std::int64_t out) {
  std::vector<std::int64_t> source(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t at = i - before;
    source[static_cast<std::size_t>(i)] = mode == PadMode::mirror ? mirror_index(at, in)
                                          : mode == PadMode::edge
                                              ? std::clamp<std::int64_t>(at, 0, in - 1)
                                          : at < 0 || at >= in ? -1
                                                               : at;
  }
  return source;
}

void Pad(const View& x, PadMode mode, int top, int left, const View& y) {
  const auto rows = SourceIndices(mode, top, x.shape.h(), y.shape.h());
  const auto columns = SourceIndices(mode, left, x.shape.w(), y.shape.w());
  const std::int64_t height = y.shape.h(), blocks = y.blocks();
  const auto block = static_cast<std::size_t>(y.block);
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t oy = i % height, cb = i / height % blocks, n = i / height / blocks;
    float* out = y.at(n, cb, oy);
    const std::int64_t sy = rows[static_cast<std::size_t>(oy)];
    if (sy < 0) {
      std::memset(out, 0, sizeof(float) * static_cast<std::size_t>(y.row()));
      return;
    }
    const float* in = x.at(n, cb, sy);
    for (std::int64_t sx : columns) {
      for (std::size_t c = 0; c < block; ++c) {
        out[c] = sx < 0 ? 0.0f : in[static_cast<std::size_t>(sx) * block + c];
      }
      out += block;
    }
  });
}

void PadBackward(const View& dy, PadMode mode, int top, int left, const View& dx, bool add) {
  const auto rows = SourceIndices(mode, top, dx.shape.h(), dy.shape.h());
  const auto columns = SourceIndices(mode, left, dx.shape.w(), dy.shape.w());
  const std::int64_t blocks = dx.blocks();
  const auto block = static_cast<std::size_t>(dx.block);
  parallel_for(dx.shape.n() * blocks, [&](std::int64_t i) {
    const std::int64_t cb = i % blocks, n = i / blocks;
    if (!add) {
      std::memset(dx.at(n, cb), 0, sizeof(float) * static_cast<std::size_t>(dx.plane()));
    }
    for (std::int64_t oy = 0; oy < dy.shape.h(); ++oy) {
      const std::int64_t sy = rows[static_cast<std::size_t>(oy)];
      if (sy < 0) continue;
      const float* g = dy.at(n, cb, oy);
      float* out = dx.at(n, cb, sy);
      for (std::int64_t sx : columns) {
        for (std::size_t c = 0; sx >= 0 && c < block; ++c) {
          out[static_cast<std::size_t>(sx) * block + c] += g[c];
        }
        g += block;
      }
    }
  });
}

void Crop(const View& x, int top, int left, const View& y) {
  const std::int64_t height = y.shape.h(), blocks = y.blocks();
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t row = i % height, cb = i / height % blocks, n = i / height / blocks;
    std::memcpy(y.at(n, cb, row),
                x.at(n, cb, row + top) + static_cast<std::int64_t>(left) * x.block,
                sizeof(float) * static_cast<std::size_t>(y.row()));
  });
}

void CropBackward(const View& dy, int top, int left, const View& dx, bool add) {
  const std::int64_t height = dx.shape.h(), blocks = dx.blocks();
  parallel_for(dx.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t row = i % height, cb = i / height % blocks, n = i / height / blocks;
    float* out = dx.at(n, cb, row);
    if (!add) std::memset(out, 0, sizeof(float) * static_cast<std::size_t>(dx.row()));
    if (row < top || row >= top + dy.shape.h()) return;
    const float* g = dy.at(n, cb, row - top);
    out += static_cast<std::int64_t>(left) * dx.block;
    for (std::int64_t k = 0; k < dy.row(); ++k) out[k] += g[k];
  });
}

/// The pixels of an axis of the parts whose place in the result, pixel * stride + phase - first,
/// lies in [0, size).
struct PartRange {
  std::int64_t begin, end;
};

PartRange part_range(std::int64_t pixels, int stride, int phase, int first, std::int64_t size) {
  const std::int64_t last = size - 1 + first - phase;
  return {phase < first ? 1 : 0, last < 0 ? 0 : std::min(pixels, last / stride + 1)};
}

template <int B>
void DepthToSpaceOf(const View& parts, Size2 stride, Size2 first, const float* bias,
                    Activation activation, const View& y) {
  const std::int64_t height = y.shape.h(), blocks = y.blocks();
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t oy = i % height, cb = i / height % blocks, n = i / height / blocks;
    const std::int64_t row = (oy + first.h) / stride.h, phase = (oy + first.h) % stride.h;
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const auto b = hn::LoadU(d, bias + cb * B + lane);
      const auto slope = hn::Set(d, activation.slope);
      for (int e = 0; e < stride.w; ++e) {
        const PartRange range = part_range(parts.shape.w(), stride.w, e, first.w, y.shape.w());
        const float* in = parts.at(n, (phase * stride.w + e) * blocks + cb, row) + lane;
        float* out = y.at(n, cb, oy) + (e - first.w) * B + lane;
        for (std::int64_t x = range.begin; x < range.end; ++x) {
          const auto v = hn::Add(hn::LoadU(d, in + x * B), b);
          hn::StoreU(rectify(d, v, activation.kind, slope), d, out + x * stride.w * B);
        }
      }
    });
  });
}

template <int B>
void SpaceToDepthOf(const View& y, Size2 stride, const View& parts) {
  const std::int64_t height = parts.shape.h(), blocks = y.blocks();
  parallel_for(y.shape.n() * blocks * height, [&](std::int64_t i) {
    const std::int64_t row = i % height, cb = i / height % blocks, n = i / height / blocks;
    for (int a = 0; a < stride.h; ++a) {
      for (int e = 0; e < stride.w; ++e) {
        float* out = parts.at(n, (a * stride.w + e) * blocks + cb, row);
        const float* in = y.at(n, cb, row * stride.h + a) + e * B;
        for (std::int64_t x = 0; x < parts.shape.w(); ++x) {
          std::memcpy(out + x * B, in + x * stride.w * B, sizeof(float) * B);
        }
      }
    }
  });
}

void DepthToSpace(const View& parts, Size2 stride, Size2 first, const float* bias,
                  Activation activation, const View& y) {
  with_block(y.block,
             [&](auto block) { DepthToSpaceOf<block>(parts, stride, first, bias, activation, y); });
}

void SpaceToDepth(const View& y, Size2 stride, const View& parts) {
  with_block(y.block, [&](auto block) { SpaceToDepthOf<block>(y, stride, parts); });
}

void AddChannelSums(const View& x, float* sums) {
  parallel_for(x.blocks(), [&](std::int64_t cb) {
    double total[16] = {};
    for (std::int64_t n = 0; n < x.shape.n(); ++n) {
      for (std::int64_t y = 0; y < x.shape.h(); ++y) {
        const float* p = x.at(n, cb, y);
        float part[16] = {};
        for (std::int64_t k = 0; k < x.shape.w(); ++k) {
          for (int c = 0; c < x.block; ++c) part[c] += p[k * x.block + c];
        }
        for (int c = 0; c < x.block; ++c) total[c] += part[c];
      }
    }
    for (std::int64_t c = 0; c < x.block && cb * x.block + c < x.shape.c(); ++c) {
      sums[cb * x.block + c] += static_cast<float>(total[c]);
    }
  });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Reorder);
HWY_EXPORT(CopyChannels);
HWY_EXPORT(Pad);
HWY_EXPORT(PadBackward);
HWY_EXPORT(Crop);
HWY_EXPORT(CropBackward);
HWY_EXPORT(DepthToSpace);
HWY_EXPORT(SpaceToDepth);
HWY_EXPORT(AddChannelSums);

void reorder(const View& from, const View& to, bool add) {
  HWY_DYNAMIC_DISPATCH(Reorder)(from, to, add);
}

void copy_channels(const View& from, std::int64_t from_channel, const View& to,
                   std::int64_t to_channel, std::int64_t count, bool add) {
  HWY_DYNAMIC_DISPATCH(CopyChannels)(from, from_channel, to, to_channel, count, add);
}

void pad(const View& x, PadMode mode, int top, int left, const View& y) {
  HWY_DYNAMIC_DISPATCH(Pad)(x, mode, top, left, y);
}

void pad_backward(const View& dy, PadMode mode, int top, int left, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(PadBackward)(dy, mode, top, left, dx, add);
}

void crop(const View& x, int top, int left, const View& y) {
  HWY_DYNAMIC_DISPATCH(Crop)(x, top, left, y);
}

void crop_backward(const View& dy, int top, int left, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(CropBackward)(dy, top, left, dx, add);
}

void depth_to_space(const View& parts, Size2 stride, Size2 first, const float* bias,
                    Activation activation, const View& y) {
  HWY_DYNAMIC_DISPATCH(DepthToSpace)(parts, stride, first, bias, activation, y);
}

void space_to_depth(const View& y, Size2 stride, const View& parts) {
  HWY_DYNAMIC_DISPATCH(SpaceToDepth)(y, stride, parts);
}

void add_channel_sums(const View& x, float* sums) {
  HWY_DYNAMIC_DISPATCH(AddChannelSums)(x, sums);
}

}  // namespace segmentum::cpu
#endif
