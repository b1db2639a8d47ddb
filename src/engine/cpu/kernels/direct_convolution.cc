// For each tap, a stretch of its channels at a time: the pixels that it reads are gathered into a
// panel that stays in the second cache, the panel is multiplied by the weights of two blocks of
// results after another, and what comes out is added to the results.
#include "engine/cpu/kernels/direct_convolution.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/direct_convolution.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <algorithm>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

// Pixels of the product held in registers, times two vectors of channels.
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;
constexpr std::int64_t kPanelPixels = 14 * kRows;
constexpr std::int64_t kPanelChannels = 256;
// Of fewer channels than this, the results would be loaded and stored too often for one tap alone.
constexpr std::int64_t kEnoughChannels = 64;
// Results of one unit of work: they stay in the last cache from tap to tap.
constexpr std::int64_t kUnitPixels = 1024;

/// Taps that are multiplied together, all their channels in one panel.
int TapsTogether(const DirectConvolution& c) {
  const std::int64_t channels = whole_blocks(c.source_channels, c.block);
  const std::int64_t limit = (kEnoughChannels + channels - 1) / channels;
  const std::int64_t groups = (c.taps() + limit - 1) / limit;
  return static_cast<int>((c.taps() + groups - 1) / groups);
}

std::int64_t PanelFloats(const DirectConvolution& c) {
  const std::int64_t channels = whole_blocks(c.source_channels, c.block);
  return kPanelPixels *
         (TapsTogether(c) > 1 ? TapsTogether(c) * channels : std::min(channels, kPanelChannels));
}

struct Task {
  const DirectConvolution& convolution;
  const View& x;
  const float* packed;
  const ConvEpilogue& epilogue;
  const View& y;

  std::int64_t pixels() const { return y.shape.h() * y.shape.w(); }
  std::int64_t panels() const { return (y.blocks() + 1) / 2; }
};

/// Part of the results: pixels of one image, pairs of channel blocks.
struct Unit {
  std::int64_t image;
  std::int64_t first_pixel, end_pixel;
  std::int64_t first_block, end_block;
};

/// How the results are divided into units, the same number for each worker.
struct Division {
  std::int64_t slices = 1;   // of the channels
  std::int64_t regions = 1;  // of each image

  Division(const Task& task, std::int64_t workers)
      : regions((task.pixels() + kUnitPixels - 1) / kUnitPixels) {
    for (std::int64_t s = workers; s > 1 && slices == 1; --s) {
      if (workers % s == 0 && task.panels() % s == 0) slices = s;
    }
    while (count(task) % workers != 0) ++regions;
  }
  std::int64_t count(const Task& task) const { return slices * task.y.shape.n() * regions; }

  Unit unit(const Task& task, std::int64_t i) const {
    const std::int64_t images = task.y.shape.n(), pixels = task.pixels();
    const std::int64_t slice = i / (images * regions), region = i % regions;
    const std::int64_t width = task.panels() / slices * 2;
    return {i / regions % images, pixels * region / regions, pixels * (region + 1) / regions,
            slice * width, std::min((slice + 1) * width, task.y.blocks())};
  }
};

/// y = bias + residual
template <int B>
void Start(const Task& task, const Unit& unit, const float* bias) {
  const View& residual = task.epilogue.residual;
  for (std::int64_t ob = unit.first_block; ob < unit.end_block; ++ob) {
    float* y = task.y.at(unit.image, ob);
    const float* plus = residual.data == nullptr ? nullptr : residual.at(unit.image, ob);
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      const auto b = hn::LoadU(d, bias + ob * B + lane);
      for (std::int64_t p = unit.first_pixel; p < unit.end_pixel; ++p) {
        const std::int64_t at = p * B + static_cast<std::int64_t>(lane);
        hn::StoreU(plus == nullptr ? b : hn::Add(b, hn::LoadU(d, plus + at)), d, y + at);
      }
    });
  }
}

template <int B>
void Finish(const Task& task, const Unit& unit) {
  const Activation activation = task.epilogue.activation;
  if (activation.kind == ActivationKind::none) return;
  for (std::int64_t ob = unit.first_block; ob < unit.end_block; ++ob) {
    float* y = task.y.at(unit.image, ob);
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      for (std::int64_t p = unit.first_pixel; p < unit.end_pixel; ++p) {
        float* at = y + p * B + lane;
        auto v = hn::LoadU(d, at);
        activate_vectors<1>(d, activation, &v);
        hn::StoreU(v, d, at);
      }
    });
  }
}

/// One gathered panel and what it is multiplied by: some channel blocks of taps that go together,
/// for pixels to which at least one of them brings something.
struct Product {
  int tap, taps;
  std::int64_t first_block, blocks;
  const std::int32_t* pixels;
  const std::int32_t* sources;  // [pixel][tap], -1 in padding
  std::int64_t count;
};

/// The products of a unit, channels outermost: what a tap reads, the next ones find in the cache.
class Products {
 public:
  Products(const Task& task, const Unit& unit) : together_(TapsTogether(task.convolution)) {
    const int all = task.convolution.taps();
    for (int tap = 0; tap < all; tap += together_) {
      collect(task, unit, tap, std::min(together_, all - tap));
    }
    const std::int64_t blocks = task.x.blocks();
    const std::int64_t stretch = together_ > 1 ? blocks : kPanelChannels / task.x.block;
    for (std::int64_t cb = 0; cb < blocks; cb += stretch) {
      for (int tap = 0; tap < all; tap += together_) {
        append(tap, std::min(together_, all - tap), cb, std::min(stretch, blocks - cb));
      }
    }
  }
  const std::vector<Product>& all() const { return products_; }

 private:
  struct Reads {
    std::vector<std::int32_t> pixels, sources;
  };

  void collect(const Task& task, const Unit& unit, int first_tap, int taps) {
    const DirectConvolution& c = task.convolution;
    const std::int64_t width = task.y.shape.w(), source_width = task.x.shape.w();
    Reads& reads = reads_.emplace_back();
    for (std::int64_t y = unit.first_pixel / width; y * width < unit.end_pixel; ++y) {
      const std::int64_t begin = std::max(unit.first_pixel - y * width, std::int64_t{0});
      const std::int64_t end = std::min(unit.end_pixel - y * width, width);
      for (std::int64_t x = begin; x < end; ++x) {
        bool any = false;
        for (int tap = first_tap; tap < first_tap + taps; ++tap) {
          const std::int64_t row = c.rows.of(tap / c.columns.taps)[y];
          const std::int64_t column = c.columns.of(tap % c.columns.taps)[x];
          const bool there = row >= 0 && column >= 0;
          reads.sources.push_back(there ? static_cast<std::int32_t>(row * source_width + column)
                                        : -1);
          any |= there;
        }
        if (any) {
          reads.pixels.push_back(static_cast<std::int32_t>(y * width + x));
        } else {
          reads.sources.resize(reads.sources.size() - static_cast<std::size_t>(taps));
        }
      }
    }
  }

  void append(int tap, int taps, std::int64_t first_block, std::int64_t blocks) {
    const Reads& reads = reads_[static_cast<std::size_t>(tap / together_)];
    const auto count = static_cast<std::int64_t>(reads.pixels.size());
    for (std::int64_t first = 0; first < count; first += kPanelPixels) {
      products_.push_back({tap, taps, first_block, blocks, reads.pixels.data() + first,
                           reads.sources.data() + first * taps,
                           std::min(kPanelPixels, count - first)});
    }
  }

  int together_;
  std::vector<Reads> reads_;
  std::vector<Product> products_;
};

/// panel [pixels / kRows][tap][channel block][kRows][B]: what is multiplied together lies together.
template <int B>
void Gather(const View& x, std::int64_t image, const Product& p, float* panel) {
  const Lanes<B> d;
  const std::int64_t next = p.taps * p.blocks * kRows * B;  // from one group of pixels to the next
  for (int tap = 0; tap < p.taps; ++tap) {
    for (std::int64_t cb = 0; cb < p.blocks; ++cb, panel += kRows * B) {
      const float* plane = x.at(image, p.first_block + cb);
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        float* group = panel + lane;
        for (std::int64_t first = 0; first < p.count; first += kRows, group += next) {
          const std::int64_t end = std::min(first + kRows, p.count);
          float* out = group;
          for (std::int64_t i = first; i < end; ++i, out += B) {
            const std::int64_t source = p.sources[i * p.taps + tap];
            const float* in = plane + source * B + static_cast<std::int64_t>(lane);
            hn::StoreU(source < 0 ? hn::Zero(d) : hn::LoadU(d, in), d, out);
          }
        }
      });
    }
  }
}

/// Asks for part `part` of `parts` of what `Gather` will read, while there is other work.
template <int B>
void Fetch(const View& x, std::int64_t image, const Product& p, std::int64_t part,
           std::int64_t parts) {
  const std::int64_t begin = p.count * p.taps * part / parts;
  const std::int64_t end = p.count * p.taps * (part + 1) / parts;
  for (std::int64_t cb = 0; cb < p.blocks; ++cb) {
    const float* plane = x.at(image, p.first_block + cb);
    for (std::int64_t i = begin; i < end; ++i) {
      hwy::Prefetch(plane + std::max<std::int64_t>(p.sources[i], 0) * B);
    }
  }
}

/// y[pixel][0..Vectors*B) += the sum over channels of panel[pixel][c] * weights[c][0..Vectors*B),
/// for R pixels.
template <int B, int R, int Vectors>
HWY_INLINE void multiply_rows(const float* panel, std::int64_t blocks, const float* weights,
                              const std::int32_t* pixels, float* y, std::int64_t plane) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    hn::Vec<Lanes<B>> sum[R][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float* at = y + std::int64_t{pixels[r]} * B + static_cast<std::int64_t>(lane);
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::LoadU(d, at + v * plane);
    }
    const float* weight = weights + lane;
    for (std::int64_t block = 0; block < blocks; ++block) {
      const float* in = panel + block * kRows * B;
      for (int c = 0; c < B; ++c, weight += Vectors * B) {
        hn::Vec<Lanes<B>> factor[Vectors];
        for (int v = 0; v < Vectors; ++v) factor[v] = hn::LoadU(d, weight + v * B);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const auto value = hn::Set(d, in[r * B + c]);
          for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(value, factor[v], sum[r][v]);
        }
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      float* at = y + std::int64_t{pixels[r]} * B + static_cast<std::int64_t>(lane);
      for (int v = 0; v < Vectors; ++v) hn::StoreU(sum[r][v], d, at + v * plane);
    }
  });
}

template <int B, int Vectors>
void MultiplyPanel(const float* panel, const Product& p, const float* weights, float* y,
                   std::int64_t plane) {
  const std::int64_t blocks = p.taps * p.blocks;
  std::int64_t i = 0;
  const auto multiply = [&]<int R>() {
    for (; i + R <= p.count; i += R) {
      for (std::int64_t ahead = i + R; ahead < std::min(i + 2 * R, p.count); ++ahead) {
        for (int v = 0; v < Vectors; ++v) {
          hwy::Prefetch(y + v * plane + std::int64_t{p.pixels[ahead]} * B);
        }
      }
      const float* rows = panel + i / kRows * kRows * blocks * B + i % kRows * B;
      multiply_rows<B, R, Vectors>(rows, blocks, weights, p.pixels + i, y, plane);
    }
  };
  multiply.template operator()<kRows>();
  multiply.template operator()<kRows / 2>();
  multiply.template operator()<2>();
  multiply.template operator()<1>();
}

/// The panel against all of a unit's channels; `next` is fetched meanwhile.
template <int B>
void Multiply(const Task& task, const Unit& unit, const float* panel, const Product& p,
              const Product* next) {
  const View& y = task.y;
  const std::int64_t blocks = task.x.blocks(), depth = task.convolution.taps() * blocks * B;
  const std::int64_t k = (p.tap * blocks + p.first_block) * B;
  for (std::int64_t ob = unit.first_block; ob < unit.end_block; ob += 2) {
    if (next != nullptr) {
      Fetch<B>(task.x, unit.image, *next, (ob - unit.first_block) / 2,
               (unit.end_block - unit.first_block + 1) / 2);
    }
    const float* weights = task.packed + ob * B * depth;
    float* results = y.at(unit.image, ob);
    if (ob + 1 < y.blocks()) {
      MultiplyPanel<B, 2>(panel, p, weights + k * 2 * B, results, y.plane());
    } else {
      MultiplyPanel<B, 1>(panel, p, weights + k * B, results, y.plane());
    }
  }
}

template <int B>
void RunUnit(const Task& task, const Unit& unit, const float* bias, float* panel) {
  const Products products(task, unit);
  Start<B>(task, unit, bias);
  for (std::size_t i = 0; i < products.all().size(); ++i) {
    const Product& p = products.all()[i];
    const Product* next = i + 1 < products.all().size() ? &p + 1 : nullptr;
    Gather<B>(task.x, unit.image, p, panel);
    Multiply<B>(task, unit, panel, p, next);
  }
  Finish<B>(task, unit);
}

template <int B>
void Run(const Task& task, float* scratch) {
  const std::int64_t workers = threads(), panel_floats = PanelFloats(task.convolution);
  const Division division(task, workers);
  const std::int64_t share = division.count(task) / workers;
  float* bias = scratch + workers * panel_floats;
  std::fill_n(bias, task.y.blocks() * B, 0.0f);
  if (task.epilogue.bias != nullptr) std::copy_n(task.epilogue.bias, task.y.shape.c(), bias);
  // Scratch goes with the worker's number, as in Winograd's kernel.
  parallel_for(workers, [&](std::int64_t worker) {
    for (std::int64_t i = worker * share; i < (worker + 1) * share; ++i) {
      RunUnit<B>(task, division.unit(task, i), bias, scratch + worker * panel_floats);
    }
  });
}

void Convolve(const DirectConvolution& convolution, const View& x, const float* packed,
              const ConvEpilogue& epilogue, const View& y, float* scratch) {
  const Task task{convolution, x, packed, epilogue, y};
  with_block(y.block, [&](auto block) { Run<block>(task, scratch); });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(PanelFloats);
HWY_EXPORT(Convolve);

namespace {

/// `source_of(tap, result)` is asked for every pair; what lies outside of [0, sources) is padding.
template <typename SourceOf>
TapAxis tap_axis(int taps, std::int64_t results, std::int64_t sources, const SourceOf& source_of) {
  TapAxis axis{taps, results, {}};
  for (int tap = 0; tap < taps; ++tap) {
    for (std::int64_t i = 0; i < results; ++i) {
      const std::int64_t at = source_of(tap, i);
      axis.sources.push_back(at < 0 || at >= sources ? -1 : static_cast<std::int32_t>(at));
    }
  }
  return axis;
}

TapAxis reading_axis(int kernel, int stride, int dilation, int before, std::int64_t results,
                     std::int64_t sources) {
  return tap_axis(kernel, results, sources, [=](int tap, std::int64_t i) {
    return i * stride + std::int64_t{tap} * dilation - before;
  });
}

/// Of the gradient: which result of the convolution read position i through the tap.
TapAxis returning_axis(int kernel, int stride, int dilation, int before, std::int64_t results,
                       std::int64_t sources) {
  return tap_axis(kernel, results, sources, [=](int tap, std::int64_t i) {
    const std::int64_t strides = i + before - std::int64_t{tap} * dilation;
    return strides % stride == 0 ? strides / stride : -1;
  });
}

}  // namespace

DirectConvolution direct_forward(const ConvGeometry& g) {
  return {g.ic, g.oc, reading_axis(g.kernel.h, g.stride.h, g.dilation.h, g.padding.top, g.oh, g.ih),
          reading_axis(g.kernel.w, g.stride.w, g.dilation.w, g.padding.left, g.ow, g.iw)};
}

DirectConvolution direct_data_gradient(const ConvGeometry& g) {
  return {g.oc, g.ic,
          returning_axis(g.kernel.h, g.stride.h, g.dilation.h, g.padding.top, g.ih, g.oh),
          returning_axis(g.kernel.w, g.stride.w, g.dilation.w, g.padding.left, g.iw, g.ow)};
}

std::int64_t direct_weight_floats(const DirectConvolution& c) {
  return c.taps() * whole_blocks(c.source_channels, c.block) *
         whole_blocks(c.result_channels, c.block);
}

void direct_pack(const float* weights, const DirectConvolution& c, bool gradient, float* packed) {
  const std::int64_t pair = 2 * c.block, in = whole_blocks(c.source_channels, c.block);
  const std::int64_t out = whole_blocks(c.result_channels, c.block), taps = c.taps();
  // Result blocks stand in pairs, [pair][tap][source channel][2 blocks]; the last may be single.
  parallel_for((out + pair - 1) / pair, [&](std::int64_t p) {
    const std::int64_t first = p * pair, width = std::min(pair, out - first);
    float* panel = packed + first * taps * in;
    std::fill_n(panel, taps * in * width, 0.0f);
    for (std::int64_t r = first; r < std::min(first + width, c.result_channels); ++r) {
      for (std::int64_t s = 0; s < c.source_channels; ++s) {
        const float* kernel =
            weights + (gradient ? s * c.result_channels + r : r * c.source_channels + s) * taps;
        for (std::int64_t t = 0; t < taps; ++t) {
          panel[(t * in + s) * width + (r - first)] = kernel[t];
        }
      }
    }
  });
}

std::int64_t direct_scratch_floats(const DirectConvolution& c, int threads) {
  return threads * HWY_DYNAMIC_DISPATCH(PanelFloats)(c) + whole_blocks(c.result_channels, c.block);
}

void direct_convolution(const DirectConvolution& convolution, const View& x, const float* packed,
                        const ConvEpilogue& epilogue, const View& y, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Convolve)(convolution, x, packed, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
#endif
