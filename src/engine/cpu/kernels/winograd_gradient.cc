// Winograd's algorithm is a sum over frequencies of three factors: of the weights, of the pixels
// and of the results. Its derivative by the weights has the other two: tiles of 6x6 pixels and 4x4
// gradients of results become 36 frequencies each, outer products over channels are summed for each
// frequency over all tiles, and only these sums come back, to 3x3 weights, once.
#include "engine/cpu/kernels/winograd_gradient.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/winograd_gradient.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/outer_products-inl.h"
#include "engine/cpu/kernels/winograd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

using Tile = Tile4;
constexpr std::int64_t kFrequencies = std::int64_t{Tile::kSide} * Tile::kSide;
constexpr std::int64_t kSumFloats = 5 << 19;  // of the input channels that are summed at a time
// Tiles of a group: those whose frequencies a worker's second cache holds, or where that are few,
// so many that reading the sums again for each group costs little beside them.
constexpr std::int64_t kCacheFloats = 320 << 10;
constexpr std::int64_t kFewTiles = 48;
constexpr std::int64_t kManyTiles = 256;
constexpr std::int64_t kMostTiles = 1024;

/// How a gradient is cut: some input channels at a time, and for them a group of tiles at a time.
struct Cuts {
  std::int64_t ic, oc;    // in whole blocks
  std::int64_t channels;  // of the input
  std::int64_t group;     // tiles

  Cuts(const ConvGeometry& g, std::int64_t tiles, std::int64_t workers)
      : ic(whole_blocks(g.ic)), oc(whole_blocks(g.oc)) {
    const std::int64_t block = vector_block(), blocks = ic / block;
    const std::int64_t most =
        std::clamp<std::int64_t>(kSumFloats / (kFrequencies * oc * block), 1, blocks);
    const std::int64_t parts = (blocks + most - 1) / most;
    channels = (blocks + parts - 1) / parts * block;
    const std::int64_t held = kCacheFloats / (kFrequencies * (channels + oc));
    group = held < kFewTiles ? kManyTiles : std::min(held * workers, kMostTiles);
    group = std::min(group, tiles);
  }
  std::int64_t sum_floats() const { return kFrequencies * channels * oc; }
  std::int64_t floats() const { return sum_floats() + kFrequencies * group * (channels + oc); }
};

TilesOfResults tiles_of(const ConvGeometry& g) {
  return {{g.n, g.oc, g.oh, g.ow}, Tile::kResults, g.dilation};
}

struct Task {
  const ConvGeometry& g;
  const View& x;
  const View& dy;
  const TilesOfResults tiles;
};

/// What the tiles [first, first + count) of a group are as frequencies, each
/// [frequency][channel block][tile of the group][B].
struct Frequencies {
  float* pixels;
  float* gradients;
  std::int64_t first, count, room;
};

template <int B>
void Transform(const Task& task, const Cuts& cuts, std::int64_t channel, const Frequencies& f,
               std::int64_t begin, std::int64_t end) {
  const ConvGeometry& g = task.g;
  const std::int64_t blocks = cuts.channels / B, first = channel / B;
  const std::int64_t last = std::min(first + blocks, task.x.blocks());
  for (std::int64_t t = begin; t < end; ++t) {
    const TileAt at = task.tiles.at(f.first + t);
    const TileWindow pixels{
        at.y - g.padding.top, at.x - g.padding.left, g.dilation, g.ih, g.iw, g.iw};
    for (std::int64_t b = first; b < last; ++b) {
      tile_to_frequencies<B, Tile::kSide, Tile::kSide>(
          task.x.at(at.n, b), pixels, f.pixels + ((b - first) * f.room + t) * B,
          blocks * f.room * B,
          [](auto d, const auto& line) HWY_ATTR { return Tile::to_frequencies(d, line); });
    }
    const TileWindow results{at.y, at.x, g.dilation, g.oh, g.ow, g.ow};
    for (std::int64_t b = 0; b < task.dy.blocks(); ++b) {
      tile_to_frequencies<B, Tile::kResults, Tile::kSide>(
          task.dy.at(at.n, b), results, f.gradients + (b * f.room + t) * B, cuts.oc * f.room,
          [](auto d, const auto& line) HWY_ATTR { return Tile::gradient_to_frequencies(d, line); });
    }
  }
}

/// sums [frequency][channel][oc] of R channels from `channel` on += products over the group.
template <int B, int R>
void AddProducts(const Cuts& cuts, const Frequencies& f, std::int64_t frequency,
                 std::int64_t channel, float* sums) {
  const std::int64_t step = f.room * B;
  MultiplyChannels<B, R>(
      {.x = f.pixels + (frequency * cuts.channels / B + channel / B) * step + channel % B,
       .dy = f.gradients + frequency * cuts.oc / B * step,
       .height = 1,
       .width = f.count,
       .x_row = 0,
       .x_pixel = B,
       .dy_row = 0,
       .dy_block = step},
      cuts.oc / B, sums + (frequency * cuts.channels + channel) * cuts.oc, cuts.oc);
}

/// Channels [begin, end) of the sums (from `channel` of the input on) against one block of results.
template <int B>
void AddGradient(const Task& task, const Cuts& cuts, const float* sums, std::int64_t channel,
                 std::int64_t block, std::int64_t begin, std::int64_t end, float* gradient) {
  constexpr int kSide = Tile::kSide;
  const ConvGeometry& g = task.g;
  const std::int64_t step = cuts.channels * cuts.oc;
  const std::int64_t results = std::min<std::int64_t>(B, g.oc - block * B);
  HWY_ALIGN float weights[9][B];
  for (std::int64_t c = begin; c < std::min(end, g.ic - channel); ++c) {
    const float* in = sums + c * cuts.oc + block * B;
    for_lanes<B>([&](std::size_t lane) HWY_ATTR {
      const Lanes<B> d;
      using V = hn::Vec<Lanes<B>>;
      Line<V, 3> lines[kSide];
      for (int i = 0; i < kSide; ++i) {
        Line<V, kSide> line;
        for (int j = 0; j < kSide; ++j) {
          line.v[j] = hn::LoadU(d, in + (i * kSide + j) * step + lane);
        }
        lines[i] = Tile::gradient_from_frequencies(d, line);
      }
      for (int j = 0; j < 3; ++j) {
        Line<V, kSide> column;
        for (int i = 0; i < kSide; ++i) column.v[i] = lines[i].v[j];
        const Line<V, 3> done = Tile::gradient_from_frequencies(d, column);
        for (int i = 0; i < 3; ++i) hn::StoreU(done.v[i], d, weights[3 * i + j] + lane);
      }
    });
    for (std::int64_t o = 0; o < results; ++o) {
      float* to = gradient + ((block * B + o) * g.ic + channel + c) * 9;
      for (int k = 0; k < 9; ++k) to[k] += weights[k][o];
    }
  }
}

/// body(begin, end) on each worker for its part of `count`.
template <class Body>
void in_parts(std::int64_t count, const Body& body) {
  const std::int64_t workers = threads();
  parallel_for(workers, [&](std::int64_t worker) {
    body(count * worker / workers, count * (worker + 1) / workers);
  });
}

/// The gradient of `cuts.channels` channels of the input, from `channel` on.
template <int B>
void SumChannels(const Task& task, const Cuts& cuts, std::int64_t channel, std::int64_t tiles,
                 float* sums, float* gradient) {
  // One vector of results would leave most registers empty, so then more channels meet it.
  constexpr int kTall = std::min(B, 2 * kOuterRows);
  float* pixels = sums + cuts.sum_floats();
  float* gradients = pixels + kFrequencies * cuts.group * cuts.channels;
  in_parts(cuts.sum_floats(), [&](std::int64_t begin, std::int64_t end) {
    std::fill(sums + begin, sums + end, 0.0f);
  });
  for (std::int64_t first = 0; first < tiles; first += cuts.group) {
    const Frequencies f{pixels, gradients, first, std::min(cuts.group, tiles - first), cuts.group};
    in_parts(f.count, [&](std::int64_t begin, std::int64_t end) {
      Transform<B>(task, cuts, channel, f, begin, end);
    });
    const auto multiply = [&]<int R>() {
      const std::int64_t rows = std::min(cuts.channels, cuts.ic - channel) / R;
      in_parts(kFrequencies * rows, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          AddProducts<B, R>(cuts, f, i / rows, i % rows * R, sums);
        }
      });
    };
    if (cuts.oc == B) {
      multiply.template operator()<kTall>();
    } else {
      multiply.template operator()<kOuterRows>();
    }
  }
  const std::int64_t squares = cuts.channels / B;
  in_parts(squares * task.dy.blocks(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t c = i % squares * B;
      AddGradient<B>(task, cuts, sums, channel, i / squares, c, c + B, gradient);
    }
  });
}

std::int64_t ScratchFloats(const ConvGeometry& g, int threads) {
  return Cuts(g, tiles_of(g).count(), threads).floats();
}

void WeightGradient(const ConvGeometry& g, const View& x, const View& dy, float* gradient,
                    float* scratch) {
  const Task task{g, x, dy, tiles_of(g)};
  const std::int64_t tiles = task.tiles.count();
  const Cuts cuts(g, tiles, threads());
  with_block(x.block, [&](auto block) {
    for (std::int64_t channel = 0; channel < cuts.ic; channel += cuts.channels) {
      SumChannels<block>(task, cuts, channel, tiles, scratch, gradient);
    }
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(ScratchFloats);
HWY_EXPORT(WeightGradient);

std::int64_t winograd_gradient_floats(const ConvGeometry& geometry, int threads) {
  return HWY_DYNAMIC_DISPATCH(ScratchFloats)(geometry, threads);
}

void winograd_weight_gradient(const ConvGeometry& geometry, const View& x, const View& dy,
                              float* gradient, float* scratch) {
  HWY_DYNAMIC_DISPATCH(WeightGradient)(geometry, x, dy, gradient, scratch);
}

}  // namespace segmentum::cpu
#endif
