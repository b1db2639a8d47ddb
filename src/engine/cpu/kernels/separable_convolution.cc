// Results are made in bands of a few rows. What the depthwise convolution reads for a band is
// expanded into rows that stay in the second cache, those that the next band reads again are moved
// up; what it gives lies there for some channels at a time, and these are added to the band of the
// result. Wide pictures are cut into columns, so that rows fit. Where some channels are magnified,
// the result begins with what they bring, a few channels of the result at a time.
#include "engine/cpu/kernels/separable_convolution.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/separable_convolution.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/channel_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and units too

constexpr std::int64_t kCacheFloats = 192 * 1024;
constexpr std::int64_t kChannelsTogether = 512;
constexpr std::int64_t kFewRows = 2, kManyRows = 16;  // of a band, where there is a choice
constexpr std::int64_t kNarrow = 48;                  // columns that are not cut any more

/// How the work is cut, and the memory of one worker.
struct Bands {
  std::int64_t strips = 1;       // of columns
  std::int64_t rows = 1;         // of results in a band
  std::int64_t blocks = 0;       // of channels together
  std::int64_t wide_plane = 0;   // floats of one block of expanded channels
  std::int64_t wide_floats = 0;  // of all
  std::int64_t filtered_plane = 0;
  std::int64_t filtered_floats = 0;
  std::int64_t magnified_floats = 0;

  Bands(const SeparableGeometry& g, const MagnifiedTaps* magnified) {
    const int block = vector_block();
    const std::int64_t all = whole_blocks(g.channels, block) / block;
    const std::int64_t groups = (all * block + kChannelsTogether - 1) / kChannelsTogether;
    blocks = std::min(all, whole_blocks((all + groups - 1) / groups, 2));
    const auto span = [](std::int64_t results, int stride, int kernel, int dilation,
                         std::int64_t most) {
      return std::min((results - 1) * stride + std::int64_t{kernel - 1} * dilation + 1, most);
    };
    const DepthwiseWindow& w = g.window;
    std::int64_t width = 0, wide_width = 0;
    const auto wide_rows = [&](std::int64_t results) {
      return span(results, w.stride.h, w.kernel.h, w.dilation.h, g.x.h());
    };
    // With the weights that a band is multiplied by, and its results where they are added to.
    std::int64_t results_stay = groups > 1 ? whole_blocks(g.y.c(), block) : 0;
    // The results that magnified channels begin, and what these are made of.
    if (magnified != nullptr) results_stay += 4 * MagnifiedTaps::kBlocks * block;
    const std::int64_t weights = g.projects ? blocks * block * g.y.c() : 0;
    const std::int64_t room = std::max(kCacheFloats - weights, kCacheFloats / 2);
    const auto floats = [&](std::int64_t results) {
      return (g.expands ? wide_rows(results) * wide_width * all * block : 0) +
             results * width * ((g.projects ? blocks * block : 0) + results_stay);
    };
    for (strips = 1;; ++strips) {
      width = (g.y.w() + strips - 1) / strips;
      wide_width = span(width, w.stride.w, w.kernel.w, w.dilation.w, g.x.w());
      if (width <= kNarrow || floats(std::min(kFewRows, g.y.h())) <= room) break;
    }
    while (rows < std::min(kManyRows, g.y.h()) && floats(rows + 1) <= room) ++rows;
    wide_plane = wide_rows(rows) * wide_width * block;
    wide_floats = g.expands ? wide_plane * all : 0;
    filtered_plane = rows * width * block;
    filtered_floats = g.projects ? filtered_plane * blocks : 0;
    magnified_floats = magnified == nullptr ? 0 : magnified->scratch_floats(rows);
  }
  std::int64_t worker_floats() const { return wide_floats + filtered_floats + magnified_floats; }
};

struct Task {
  const SeparableGeometry& geometry;
  const DepthwiseInParts& depthwise;
  const View& x;
  const SeparableWeights& weights;
  const View& residual;
  const View& y;
  const MagnifiedTaps* magnified;  // or null
  const View& taps;
  Bands bands;
};

/// One band of one image while it is made.
struct Band {
  std::int64_t image;
  Region results;
  Region reads;                    // of the expanded value
  std::int64_t expanded_rows_end;  // of those, the rows that the band before has left
};

/// Calls visit(row, pixels) for pixels that lie one after another in both values: a row of them, or
/// all where rows are whole.
template <typename Visit>
void ForRuns(const Interval& rows, std::int64_t width, bool whole_rows, const Visit& visit) {
  if (rows.empty() || width == 0) return;
  if (whole_rows) return visit(rows.begin, rows.size() * width);
  for (std::int64_t y = rows.begin; y < rows.end; ++y) visit(y, width);
}

/// The rows of channel blocks [first, end) that the band before has not left.
template <int B>
void Expand(const Task& task, const Band& band, std::int64_t first, std::int64_t end, float* wide) {
  const View& x = task.x;
  const SeparableWeights::Layer& layer = task.weights.expand;
  const Interval columns = band.reads.x;
  const Interval rows{band.expanded_rows_end, band.reads.y.end};
  ForRuns(rows, columns.size(), columns.size() == x.shape.w(),
          [&](std::int64_t row, std::int64_t pixels) {
            Multiply<B>({.x = x.at(band.image, 0, row) + columns.begin * B,
                         .x_plane = x.plane(),
                         .channels = x.shape.c(),
                         .weights = layer.weights,
                         .depth = x.shape.c(),
                         .first_channel = 0,
                         .start = layer.bias,
                         .resumes = false,
                         .residual = nullptr,
                         .residual_plane = 0,
                         .activation = layer.activation,
                         .y = wide + (row - band.reads.y.begin) * columns.size() * B,
                         .y_plane = task.bands.wide_plane,
                         .first_block = first,
                         .end_block = end,
                         .pixels = pixels});
          });
}

/// Moves rows that the next band reads again to the beginning.
template <int B>
void KeepRows(const Task& task, const Band& before, const Band& band, float* wide) {
  const std::int64_t row = band.reads.x.size() * B;
  const std::int64_t skipped = (band.reads.y.begin - before.reads.y.begin) * row;
  const std::int64_t kept = (band.expanded_rows_end - band.reads.y.begin) * row;
  if (skipped == 0 || kept == 0) return;
  for (float* plane = wide; plane < wide + task.bands.wide_floats; plane += task.bands.wide_plane) {
    std::copy(plane + skipped, plane + skipped + kept, plane);
  }
}

template <int B>
void Filter(const Task& task, const Band& band, std::int64_t cb, const float* wide, float* out,
            std::int64_t out_row) {
  const SeparableGeometry& g = task.geometry;
  const SeparableWeights::Layer& layer = task.weights.depthwise;
  const std::int64_t taps = std::int64_t{g.window.kernel.h} * g.window.kernel.w;
  task.depthwise.compute(
      {.results = band.results,
       .source = g.expands ? wide + cb * task.bands.wide_plane : task.x.at(band.image, cb),
       .top = g.expands ? band.reads.y.begin : 0,
       .left = g.expands ? band.reads.x.begin : 0,
       .source_row = g.expands ? band.reads.x.size() * B : task.x.row(),
       .weights = layer.weights + cb * taps * B,
       .bias = layer.bias == nullptr ? nullptr : layer.bias + cb * B,
       .activation = layer.activation,
       .out = out,
       .out_row = out_row,
       .block = B});
}

/// Adds what channel blocks [first, end) bring to blocks [out, out_end) of the result.
template <int B>
void Project(const Task& task, const Band& band, std::int64_t first, std::int64_t end,
             std::int64_t out, std::int64_t out_end, const float* filtered) {
  const View& y = task.y;
  const View& residual = task.residual;
  const SeparableWeights::Layer& layer = task.weights.project;
  const std::int64_t channels = task.geometry.channels;
  const bool last = end * B >= channels;
  const Interval columns = band.results.x;
  ForRuns(band.results.y, columns.size(), columns.size() == y.shape.w(),
          [&](std::int64_t row, std::int64_t pixels) {
            Multiply<B>({.x = filtered + (row - band.results.y.begin) * columns.size() * B,
                         .x_plane = task.bands.filtered_plane,
                         .channels = std::min(end * B, channels) - first * B,
                         .weights = layer.weights,
                         .depth = channels,
                         .first_channel = first * B,
                         .start = layer.bias,
                         .resumes = first > 0 || task.magnified != nullptr,
                         .residual = last && residual.data != nullptr
                                         ? residual.at(band.image, 0, row) + columns.begin * B
                                         : nullptr,
                         .residual_plane = residual.data == nullptr ? 0 : residual.plane(),
                         .activation = last ? layer.activation : Activation{},
                         .y = y.at(band.image, 0, row) + columns.begin * B,
                         .y_plane = y.plane(),
                         .first_block = out,
                         .end_block = out_end,
                         .pixels = pixels});
          });
}

/// Project for all results; those that magnified channels begin while they are still in the cache.
template <int B>
void ProjectAll(const Task& task, const Band& band, std::int64_t first, std::int64_t end,
                float* filtered) {
  const std::int64_t blocks = task.y.blocks();
  if (task.magnified == nullptr || first > 0) {
    return Project<B>(task, band, first, end, 0, blocks, filtered);
  }
  float* sums = filtered + task.bands.filtered_floats;
  for (std::int64_t out = 0; out < blocks; out += MagnifiedTaps::kBlocks) {
    const std::int64_t out_end = std::min(out + MagnifiedTaps::kBlocks, blocks);
    task.magnified->sum({.taps = task.taps,
                         .y = task.y,
                         .image = band.image,
                         .results = band.results,
                         .first_block = out,
                         .end_block = out_end,
                         .bias = task.weights.project.bias},
                        sums);
    Project<B>(task, band, first, end, out, out_end, filtered);
  }
}

template <int B>
void RunBand(const Task& task, const Band& band, float* wide, float* filtered) {
  const SeparableGeometry& g = task.geometry;
  const std::int64_t all = whole_blocks(g.channels, B) / B, width = band.results.x.size();
  for (std::int64_t first = 0; first < all; first += task.bands.blocks) {
    const std::int64_t end = std::min(first + task.bands.blocks, all);
    if (g.expands) Expand<B>(task, band, first, end, wide);
    for (std::int64_t cb = first; cb < end; ++cb) {
      if (g.projects) {
        Filter<B>(task, band, cb, wide, filtered + (cb - first) * task.bands.filtered_plane,
                  width * B);
      } else {
        Filter<B>(task, band, cb, wide,
                  task.y.at(band.image, cb, band.results.y.begin) + band.results.x.begin * B,
                  task.y.row());
      }
    }
    if (g.projects) ProjectAll<B>(task, band, first, end, filtered);
  }
}

/// All bands of some rows and columns of an image, from top to bottom.
template <int B>
void RunUnit(const Task& task, std::int64_t image, const Region& results, float* scratch) {
  float* filtered = scratch + task.bands.wide_floats;
  Band before{};
  for (std::int64_t y = results.y.begin; y < results.y.end; y += task.bands.rows) {
    Band band{.image = image,
              .results = {{y, std::min(y + task.bands.rows, results.y.end)}, results.x},
              .reads = {},
              .expanded_rows_end = 0};
    band.reads = task.depthwise.reads(band.results);
    band.expanded_rows_end = std::max(band.reads.y.begin, before.reads.y.end);
    if (task.geometry.expands) KeepRows<B>(task, before, band, scratch);
    RunBand<B>(task, band, scratch, filtered);
    before = band;
  }
}

template <int B>
void Run(const Task& task, float* scratch) {
  const std::int64_t workers = threads(), strips = task.bands.strips;
  const std::int64_t images = task.y.shape.n(), height = task.y.shape.h(), width = task.y.shape.w();
  std::int64_t parts = 1;  // of the rows: each worker gets as many units
  while (images * strips * parts % workers != 0) ++parts;
  const std::int64_t share = images * strips * parts / workers;
  // Scratch goes with the worker's number, as in Winograd's kernel.
  parallel_for(workers, [&](std::int64_t worker) {
    for (std::int64_t i = worker * share; i < (worker + 1) * share; ++i) {
      const std::int64_t part = i % parts, strip = i / parts % strips;
      const Region results{{height * part / parts, height * (part + 1) / parts},
                           {width * strip / strips, width * (strip + 1) / strips}};
      RunUnit<B>(task, i / parts / strips, results, scratch + worker * task.bands.worker_floats());
    }
  });
}

std::int64_t SeparableFloats(const SeparableGeometry& geometry, const MagnifiedTaps* magnified) {
  return Bands(geometry, magnified).worker_floats();
}

void Separable(const SeparableGeometry& geometry, const DepthwiseInParts& depthwise,
               const MagnifiedTaps* magnified, const View& x, const SeparableWeights& weights,
               const View& residual, const View& taps, const View& y, float* scratch) {
  const Task task{
      geometry, depthwise, x, weights, residual, y, magnified, taps, Bands(geometry, magnified)};
  with_block(y.block, [&](auto block) { Run<block>(task, scratch); });
}

bool RowsFit(std::int64_t channels, const DepthwiseWindow& window) {
  constexpr std::int64_t kResults = 2;
  const std::int64_t rows =
      (kResults - 1) * window.stride.h + std::int64_t{window.kernel.h - 1} * window.dilation.h + 1;
  return rows * kNarrow * channels <= kCacheFloats;
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(SeparableFloats);
HWY_EXPORT(Separable);
HWY_EXPORT(RowsFit);

std::int64_t pointwise_weight_floats(std::int64_t ic, std::int64_t oc) {
  return ic * whole_blocks(oc);
}

void pointwise_pack(const float* weights, std::int64_t row, std::int64_t ic, std::int64_t oc,
                    float* packed) {
  const std::int64_t pair = 2 * vector_block(), out = whole_blocks(oc);
  for (std::int64_t first = 0; first < out; first += pair) {
    const std::int64_t width = std::min(pair, out - first);
    float* panel = packed + first * ic;
    std::fill_n(panel, ic * width, 0.0f);
    for (std::int64_t o = first; o < std::min(first + width, oc); ++o) {
      for (std::int64_t c = 0; c < ic; ++c) panel[c * width + (o - first)] = weights[o * row + c];
    }
  }
}

SeparableConvolution::SeparableConvolution(const SeparableGeometry& geometry,
                                           std::shared_ptr<const MagnifiedTaps> magnified)
    : geometry_(geometry),
      depthwise_(geometry.wide(), geometry.window, geometry.filtered()),
      magnified_(std::move(magnified)) {}

std::int64_t SeparableConvolution::scratch_floats(int threads) const {
  return threads * HWY_DYNAMIC_DISPATCH(SeparableFloats)(geometry_, magnified_.get());
}

void SeparableConvolution::run(const View& x, const SeparableWeights& weights, const View& residual,
                               const View& y, float* scratch, const View& taps) const {
  HWY_DYNAMIC_DISPATCH(Separable)
  (geometry_, depthwise_, magnified_.get(), x, weights, residual, taps, y, scratch);
}

bool SeparableConvolution::weights_fit(std::int64_t channels, std::int64_t results) {
  constexpr std::int64_t kWeights = 160 * 1024;
  return channels * results <= kWeights;
}

bool SeparableConvolution::rows_fit(std::int64_t channels, const DepthwiseWindow& window) {
  return HWY_DYNAMIC_DISPATCH(RowsFit)(channels, window);
}

}  // namespace segmentum::cpu
#endif
