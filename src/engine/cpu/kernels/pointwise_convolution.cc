#include "engine/cpu/kernels/pointwise_convolution.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/pointwise_convolution.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/channel_product-inl.h"

// Planes of blocks lie far apart, often by a power of two, so that the channels of few pixels would
// drive each other out of the caches. Where they are read more than once, some hundred pixels are
// gathered first: the panel stays in the second cache while all channels of the result are made.
HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and units too

constexpr std::int64_t kPanelFloats = 64 * 1024;
constexpr std::int64_t kPanelChannels = 512;
constexpr std::int64_t kPanelPixels = 64 * kProductPixels;
// Pairs of blocks of the result from which the source is gathered.
constexpr std::int64_t kPairsToGather = 3;

struct Task {
  const View& x;
  const float* packed;
  const ConvEpilogue& epilogue;
  const View& y;
  const float* bias;  // padded

  std::int64_t pixels() const { return y.shape.h() * y.shape.w(); }
  std::int64_t pairs() const { return (y.blocks() + 1) / 2; }
  bool gathers() const { return pairs() >= kPairsToGather; }
};

/// Channels of a panel: all of them, or an even share in whole blocks.
std::int64_t PanelChannels(std::int64_t ic, int block) {
  const std::int64_t panels = (ic + kPanelChannels - 1) / kPanelChannels;
  return whole_blocks((ic + panels - 1) / panels, block);
}

std::int64_t PanelPixels(std::int64_t ic, int block) {
  const std::int64_t fit = kPanelFloats / PanelChannels(ic, block);
  return std::clamp<std::int64_t>(fit / kProductPixels * kProductPixels, 2 * kProductPixels,
                                  kPanelPixels);
}

/// Part of the results: pixels of one image, pairs of channel blocks.
struct Unit {
  std::int64_t image;
  std::int64_t first_pixel, end_pixel;
  std::int64_t first_block, end_block;
};

/// Pixels are divided among workers; channels too where pixels are few.
struct Division {
  std::int64_t slices = 1, regions;

  Division(const Task& task, std::int64_t workers) {
    const std::int64_t most = PanelPixels(task.x.shape.c(), task.y.block);
    regions = (task.pixels() + most - 1) / most;
    if (task.y.shape.n() * task.pixels() < workers * 4 * kProductPixels) {
      slices = std::min(workers, task.pairs());
    } else {
      while (count(task) % workers != 0) ++regions;
    }
  }
  std::int64_t count(const Task& task) const { return slices * task.y.shape.n() * regions; }

  Unit unit(const Task& task, std::int64_t i) const {
    const std::int64_t images = task.y.shape.n(), pixels = task.pixels(), pairs = task.pairs();
    const std::int64_t slice = i / (images * regions), region = i % regions;
    return {i / regions % images, pixels * region / regions, pixels * (region + 1) / regions,
            pairs * slice / slices * 2,
            std::min(pairs * (slice + 1) / slices * 2, task.y.blocks())};
  }
};

template <int B>
void Gather(const float* x, std::int64_t plane, std::int64_t blocks, std::int64_t pixels,
            float* panel) {
  for (std::int64_t cb = 0; cb < blocks; ++cb, x += plane, panel += pixels * B) {
    std::copy_n(x, pixels * B, panel);
  }
}

template <int B>
void RunUnit(const Task& task, const Unit& unit, float* panel) {
  const View& x = task.x;
  const View& y = task.y;
  const View& residual = task.epilogue.residual;
  const std::int64_t ic = x.shape.c(), stretch = PanelChannels(ic, B);
  const std::int64_t pixels = unit.end_pixel - unit.first_pixel, at = unit.first_pixel * B;
  for (std::int64_t first = 0; first < ic; first += stretch) {
    const std::int64_t channels = std::min(stretch, ic - first);
    const bool last = first + channels == ic;
    const float* source = x.at(unit.image, first / B) + at;
    if (task.gathers()) Gather<B>(source, x.plane(), (channels + B - 1) / B, pixels, panel);
    Multiply<B>(
        {.x = task.gathers() ? panel : source,
         .x_plane = task.gathers() ? pixels * B : x.plane(),
         .channels = channels,
         .weights = task.packed,
         .depth = ic,
         .first_channel = first,
         .start = task.bias,
         .resumes = first > 0,
         .residual = !last || residual.data == nullptr ? nullptr : residual.at(unit.image, 0) + at,
         .residual_plane = residual.data == nullptr ? 0 : residual.plane(),
         .activation = last ? task.epilogue.activation : Activation{},
         .y = y.at(unit.image, 0) + at,
         .y_plane = y.plane(),
         .first_block = unit.first_block,
         .end_block = unit.end_block,
         .pixels = pixels});
  }
}

std::int64_t PointwisePanelFloats(std::int64_t ic) {
  const int block = vector_block();
  return PanelPixels(ic, block) * PanelChannels(ic, block);
}

void Pointwise(const View& x, const float* packed, const ConvEpilogue& epilogue, const View& y,
               float* scratch) {
  const std::int64_t workers = threads(), panel_floats = PointwisePanelFloats(x.shape.c());
  float* bias = scratch + workers * panel_floats;
  std::fill_n(bias, y.blocks() * y.block, 0.0f);
  if (epilogue.bias != nullptr) std::copy_n(epilogue.bias, y.shape.c(), bias);
  const Task task{x, packed, epilogue, y, bias};
  const Division division(task, workers);
  const std::int64_t count = division.count(task);
  // Scratch goes with the worker's number, as in Winograd's kernel.
  parallel_for(workers, [&](std::int64_t worker) {
    for (std::int64_t i = count * worker / workers; i < count * (worker + 1) / workers; ++i) {
      with_block(y.block, [&](auto block) {
        RunUnit<block>(task, division.unit(task, i), scratch + worker * panel_floats);
      });
    }
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(PointwisePanelFloats);
HWY_EXPORT(Pointwise);

std::int64_t pointwise_weight_floats(std::int64_t ic, std::int64_t oc) {
  return ic * whole_blocks(oc);
}

void pointwise_pack(const float* weights, std::int64_t ic, std::int64_t oc, float* packed) {
  const std::int64_t pair = 2 * vector_block(), out = whole_blocks(oc);
  parallel_for((out + pair - 1) / pair, [&](std::int64_t p) {
    const std::int64_t first = p * pair, width = std::min(pair, out - first);
    float* panel = packed + first * ic;
    std::fill_n(panel, ic * width, 0.0f);
    for (std::int64_t o = first; o < std::min(first + width, oc); ++o) {
      for (std::int64_t c = 0; c < ic; ++c) panel[c * width + (o - first)] = weights[o * ic + c];
    }
  });
}

std::int64_t pointwise_scratch_floats(std::int64_t ic, std::int64_t oc, int threads) {
  return threads * HWY_DYNAMIC_DISPATCH(PointwisePanelFloats)(ic) + whole_blocks(oc);
}

void pointwise_convolution(const View& x, const float* packed, const ConvEpilogue& epilogue,
                           const View& y, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Pointwise)(x, packed, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
#endif
