// A group of tiles goes through three stages: inputs to frequencies, one small matrix product for
// each frequency (tiles x channels), frequencies to results; the last two for a pair of blocks of
// results at a time. A tile is 4x4 results from 36 frequencies, or 6x6 from 64.
//
// Where the weights are few, they were transformed before, each worker has groups of its own, and
// all stages of one stay in the second cache. Where they are many, they would be what memory is
// full of and waits for: then they are read as they are, nine numbers instead of 36, and
// transformed in the cache for the products that follow. Groups are large, so that this is little
// beside the products, and the workers share one, each with result channels of its own. The
// arithmetic is the same, in the same order: so are the bits.
#include "engine/cpu/kernels/winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/winograd_tiles-inl.h"
#include "engine/cpu/kernels/winograd_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

constexpr std::int64_t kCacheFloats = 160 * 1024;  // of transformed inputs and products of a group
constexpr std::int64_t kSharedFloats = 2 * 1024 * 1024;  // of transformed inputs of a shared group
constexpr std::int64_t kPair = 2;  // blocks of results that are multiplied at a time
// Rows of the product held in registers, times two vectors of channels.
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;

template <class T>
constexpr std::int64_t kFrequencies = T::kSide* T::kSide;

/// Tiles of one group.
template <class T>
std::int64_t GroupSize(std::int64_t ic) {
  const std::int64_t fit =
      kCacheFloats / (kFrequencies<T> * (whole_blocks(ic) + kPair * vector_block()));
  return std::clamp<std::int64_t>(fit / kRows * kRows, kRows, 8 * kRows);
}

/// Groups that all workers share, of equal size but for one tile, and the tiles of the largest. The
/// transform of the weights costs as much as the products of five.
struct SharedGroups {
  std::int64_t count, room;
};
template <class T>
SharedGroups shared_groups(std::int64_t ic, std::int64_t tiles) {
  const std::int64_t fit = kSharedFloats / (kFrequencies<T> * whole_blocks(ic));
  const std::int64_t most = std::clamp<std::int64_t>(fit / kRows * kRows, 5 * kRows, 256);
  const std::int64_t count = (tiles + most - 1) / most;
  return {count, (tiles + count - 1) / count};
}

/// Channels whose weights are transformed at a time, a row of frequencies of them; and pairs that
/// read the transformed inputs together, from the third cache, so many tiles at a time.
constexpr std::int64_t kPart = 128, kPairs = 2, kStretch = 4 * kRows;

struct Task {
  const std::span<const View> sources;  // one after the other, the channels that are read
  const WinogradWeights weights;
  const WinogradWindow window;
  const ConvEpilogue& epilogue;
  const View& y;
  const TilesOfResults tiles;

  Task(std::span<const View> inputs, const WinogradWeights& from, const WinogradWindow& w,
       const ConvEpilogue& e, const View& output)
      : sources(inputs),
        weights(from),
        window(w),
        epilogue(e),
        y(output),
        tiles(output.shape, w.tile, w.dilation, w.phase) {}

  std::int64_t channels() const {
    std::int64_t sum = 0;
    for (const View& source : sources) sum += source.shape.c();
    return sum;
  }
  std::int64_t blocks() const { return (channels() + y.block - 1) / y.block; }
};

/// inputs [frequency][channel block][tile][B]
template <class T, int B>
void TransformInput(const Task& task, std::int64_t first, std::int64_t count, std::int64_t room,
                    float* inputs) {
  const WinogradWindow& w = task.window;
  const std::int64_t plane = room * B, step = task.blocks() * plane;  // from frequency to frequency
  for (const View& x : task.sources) {
    for (std::int64_t cb = 0; cb < x.blocks(); ++cb, inputs += plane) {
      for (std::int64_t t = 0; t < count; ++t) {
        const TileAt at = task.tiles.at(first + t);
        tile_to_frequencies<B, T::kSide, T::kSide>(
            x.at(at.n, cb),
            {at.y - w.top, at.x - w.left, w.dilation, x.shape.h(), x.shape.w(), x.row() / B},
            inputs + t * B, step,
            [](auto d, const auto& line) HWY_ATTR { return T::to_frequencies(d, line); });
      }
    }
  }
}

/// products[t][0..Vectors*B) = sum over channels of inputs[t][c] * weights[c][0..Vectors*B), for R
/// tiles; `more`: on top of what is there.
template <int B, int R, int Vectors>
HWY_INLINE void multiply_rows(const float* inputs, std::int64_t blocks, std::int64_t room,
                              const float* weights, bool more, float* products) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    hn::Vec<Lanes<B>> sum[R][Vectors];
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) {
        sum[r][v] = more ? hn::LoadU(d, products + (v * room + r) * B + lane) : hn::Zero(d);
      }
    }
    const float* weight = weights + lane;
    for (std::int64_t cb = 0; cb < blocks; ++cb) {
      const float* in = inputs + cb * room * B;
      for (int r = 0; r < R; ++r) hwy::Prefetch(in + (room + r) * B);
      for (int c = 0; c < B; ++c, weight += Vectors * B) {
        hn::Vec<Lanes<B>> factor[Vectors];
        for (int v = 0; v < Vectors; ++v) factor[v] = hn::LoadU(d, weight + v * B);
        for (int r = 0; r < R; ++r) {
          const auto value = hn::Set(d, in[r * B + c]);
          for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::MulAdd(value, factor[v], sum[r][v]);
        }
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) {
        hn::StoreU(sum[r][v], d, products + (v * room + r) * B + lane);
      }
    }
  });
}

/// All tiles of the group against one pair (or the last single one) of result blocks.
template <int B, int Vectors>
void MultiplyPanel(const float* inputs, std::int64_t count, std::int64_t blocks, std::int64_t room,
                   const float* weights, bool more, float* products) {
  std::int64_t t = 0;
  const auto rows = [&]<int R>() {
    for (; t + R <= count; t += R) {
      multiply_rows<B, R, Vectors>(inputs + t * B, blocks, room, weights, more, products + t * B);
    }
  };
  rows.template operator()<kRows>();
  rows.template operator()<kRows / 2>();
  rows.template operator()<2>();
  rows.template operator()<1>();
}

/// Calls body(vectors) with how many of the blocks that are left are multiplied at a time.
template <class Body>
void with_vectors(std::int64_t blocks_left, const Body& body) {
  if (blocks_left > 1) {
    body(std::integral_constant<int, 2>());
  } else {
    body(std::integral_constant<int, 1>());
  }
}

/// products [frequency][result block of the pair][tile][B] of the pair that begins with block `ob`.
template <class T, int B>
void Multiply(const Task& task, std::int64_t ob, std::int64_t count, std::int64_t room,
              const float* inputs, float* products) {
  const std::int64_t blocks = task.blocks(), results = task.y.blocks();
  for (std::int64_t f = 0; f < kFrequencies<T>; ++f) {
    const float* in = inputs + f * blocks * room * B;
    float* out = products + f * kPair * room * B;
    const float* panel = task.weights.data + (f * results + ob) * B * blocks * B;
    with_vectors(results - ob, [&](auto vectors) {
      MultiplyPanel<B, vectors>(in, count, blocks, room, panel, false, out);
    });
  }
}

/// What a worker needs to transform weights of its own, of some pairs of result blocks.
template <class T, int B>
class PlainScratch {
 public:
  static std::int64_t floats(std::int64_t room) {
    return PlainScratch(nullptr, room).of_pair_ * kPairs;
  }
  PlainScratch(float* memory, std::int64_t room)
      : memory_(memory), of_pair_(kWeights + kTaps + kProducts * room) {}

  float* weights(std::int64_t pair) const { return memory_ + pair * of_pair_; }
  float* taps(std::int64_t pair) const { return weights(pair) + kWeights; }
  float* products(std::int64_t pair) const { return taps(pair) + kTaps; }

 private:
  static constexpr std::int64_t kWeights = T::kSide * kPart * kPair * B;
  static constexpr std::int64_t kTaps = 9 * kPart * kPair * B;
  static constexpr std::int64_t kProducts = kFrequencies<T> * kPair * B;
  float* memory_;
  std::int64_t of_pair_;
};

/// The same for `kPairs` pairs from plain weights, part by part of the channels, transformed row by
/// row of the frequencies: a part's kernels and what a row makes of them stay in the second cache.
template <class T, int B>
void MultiplyPlain(const Task& task, const PlainWeights& plain, std::int64_t ob, std::int64_t count,
                   std::int64_t room, const float* inputs, const PlainScratch<T, B>& scratch) {
  const std::int64_t ic = task.blocks() * B, results = task.y.blocks();
  const auto for_pairs = [&](const auto& body) {
    for (std::int64_t pair = 0; pair < kPairs && ob + pair * kPair < results; ++pair) {
      with_vectors(results - ob - pair * kPair, [&](auto vectors) { body(pair, vectors); });
    }
  };
  for (std::int64_t from = 0; from < ic; from += kPart) {
    const std::int64_t channels = std::min(kPart, ic - from);
    for_pairs([&](std::int64_t pair, auto vectors) {
      GatherTaps<vectors * B>(plain, (ob + pair * kPair) * B, from, channels, scratch.taps(pair));
    });
    for_rows<T>([&](auto row) {
      for_pairs([&](std::int64_t pair, auto vectors) {
        TransformWeights<T, B, vectors, row>(scratch.taps(pair), channels, scratch.weights(pair),
                                             channels * vectors * B);
      });
      for (std::int64_t j = 0; j < T::kSide; ++j) {
        const std::int64_t f = row * T::kSide + j;
        for (std::int64_t t = 0; t < count; t += kStretch) {
          for_pairs([&](std::int64_t pair, auto vectors) {
            MultiplyPanel<B, vectors>(inputs + (f * ic + from) * room + t * B,
                                      std::min(kStretch, count - t), channels / B, room,
                                      scratch.weights(pair) + j * channels * vectors * B, from > 0,
                                      scratch.products(pair) + (f * kPair * room + t) * B);
          });
        }
      }
    });
  }
}

/// How many of a tile's results along an axis exist.
int ResultsInside(const Task& task, std::int64_t first, int apart, std::int64_t size) {
  return static_cast<int>(
      std::min<std::int64_t>(task.window.tile, (size - first + apart - 1) / apart));
}

/// The largest of each 2x2 of a tile's results, while these come column by column.
template <class T, int B>
class PooledTile {
 public:
  /// Of block `ob` of the results, of which `rows` x `columns` of the tile exist from `top` on.
  PooledTile(const View& pooled, const TileAt& at, std::int64_t ob, int top, int rows)
      : out_(pooled.data == nullptr ? nullptr : pooled.at(at.n, ob)),
        row_(pooled.row()),
        y_(at.y / 2),
        x_(at.x / 2),
        top_(top),
        rows_(rows) {}

  template <class D, class V>
  HWY_INLINE void take(D d, std::size_t lane, int column, const V (&results)[T::kResults],
                       V (&largest)[T::kResults / 2]) const {
    if (out_ == nullptr) return;
    for (int i = top_; i + 1 < rows_; i += 2) {
      const V of_column = hn::Max(results[i], results[i + 1]);
      if (column % 2 == 0) {
        largest[i / 2] = of_column;
      } else {
        float* to = out_ + (y_ + i / 2) * row_ + (x_ + column / 2) * B + lane;
        hn::StoreU(hn::Max(largest[i / 2], of_column), d, to);
      }
    }
  }

 private:
  float* out_;
  std::int64_t row_, y_, x_;
  int top_, rows_;
};

template <class T, int B>
void TransformOutput(const Task& task, std::int64_t pair, std::int64_t first, std::int64_t count,
                     std::int64_t room, const float* products, const float* bias) {
  constexpr int kSide = T::kSide;
  const View& y = task.y;
  const View& residual = task.epilogue.residual;
  const Activation activation = task.epilogue.activation;
  const std::int64_t end = std::min(pair + kPair, y.blocks());
  const std::int64_t step = kPair * room * B, w = y.shape.w();
  const Size2 apart = task.window.dilation;
  for (std::int64_t t = 0; t < count; ++t) {
    const TileAt at = task.tiles.at(first + t);
    const int rows = ResultsInside(task, at.y, apart.h, y.shape.h());
    const int columns = ResultsInside(task, at.x, apart.w, w);
    const int top = static_cast<int>(std::max<std::int64_t>(-at.y, 0));
    const int left = static_cast<int>(std::max<std::int64_t>(-at.x, 0));
    for (std::int64_t ob = pair; ob < end; ++ob) {
      const float* in = products + ((ob - pair) * room + t) * B;
      const std::int64_t origin = (at.y * w + at.x) * B;
      float* out = y.data == nullptr ? nullptr : y.at(at.n, ob) + origin;
      const float* plus = residual.data == nullptr ? nullptr : residual.at(at.n, ob) + origin;
      const PooledTile<T, B> pooled(task.epilogue.pooled, at, ob, top, rows);
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        const V b = hn::LoadU(d, bias + ob * B + lane);
        V results[T::kResults], largest[T::kResults / 2];
        Line<V, T::kResults> lines[kSide];
        for (int i = 0; i < kSide; ++i) {
          Line<V, kSide> line;
          for (int j = 0; j < kSide; ++j) {
            line.v[j] = hn::LoadU(d, in + (i * kSide + j) * step + lane);
          }
          lines[i] = T::from_frequencies(d, line);
        }
        for (int j = left; j < columns; ++j) {
          Line<V, kSide> line;
          for (int i = 0; i < kSide; ++i) line.v[i] = lines[i].v[j];
          const Line<V, T::kResults> column = T::from_frequencies(d, line);
          for (int i = top; i < rows; ++i) {
            const std::int64_t pixel =
                (i * apart.h * w + j * apart.w) * B + static_cast<std::int64_t>(lane);
            V v = hn::Add(column.v[i], b);
            if (plus != nullptr) v = hn::Add(v, hn::LoadU(d, plus + pixel));
            activate_vectors<1>(d, activation, &v);
            if (out != nullptr) hn::StoreU(v, d, out + pixel);
            results[i] = v;
          }
          pooled.take(d, lane, j, results, largest);
        }
      });
    }
  }
}

/// Calls body(T()) for the tile with so many results along an axis.
template <class Body>
auto with_tile(int tile, const Body& body) {
  return tile == Tile6::kResults ? body(Tile6()) : body(Tile4());
}

template <class T, int B>
std::int64_t scratch_floats(WinogradForm form, std::int64_t ic, const Shape& results,
                            const WinogradWindow& window, int threads) {
  const std::int64_t bias = whole_blocks(results.c());
  if (form == WinogradForm::transformed) {
    return bias + threads * GroupSize<T>(ic) * kFrequencies<T> * (whole_blocks(ic) + kPair * B);
  }
  const std::int64_t tiles =
      TilesOfResults(results, window.tile, window.dilation, window.phase).count();
  const std::int64_t room = shared_groups<T>(ic, tiles).room;
  return bias + kFrequencies<T> * whole_blocks(ic) * room +
         threads * PlainScratch<T, B>::floats(room);
}

std::int64_t ScratchFloats(WinogradForm form, std::int64_t ic, const Shape& results,
                           const WinogradWindow& window, int threads) {
  std::int64_t floats = 0;
  with_tile(window.tile, [&]<class T>(T) {
    with_block(vector_block(), [&](auto block) {
      floats = scratch_floats<T, block>(form, ic, results, window, threads);
    });
  });
  return floats;
}

/// Panels [frequency][pair of result blocks][channel][2 blocks]; the last may be a single one.
void Pack(const float* weights, bool turned, int tile, std::int64_t ic, std::int64_t oc,
          float* packed) {
  const PlainWeights plain{weights, ic, oc, turned};
  const std::int64_t in = whole_blocks(plain.ic), out = whole_blocks(plain.oc);
  with_tile(tile, [&]<class T>(T) {
    with_block(vector_block(), [&](auto block) {
      constexpr int B = block;
      const std::int64_t blocks = out / B, parts = (in + kPart - 1) / kPart;
      parallel_for((blocks + 1) / kPair * parts, [&](std::int64_t item) {
        const std::int64_t ob = item / parts * kPair, from = item % parts * kPart;
        const std::int64_t channels = std::min(kPart, in - from);
        with_vectors(blocks - ob, [&](auto vectors) {
          constexpr int kWidth = vectors * B;
          std::vector<float> taps(static_cast<std::size_t>(channels * 9 * kWidth));
          GatherTaps<kWidth>(plain, ob * B, from, channels, taps.data());
          float* panel = packed + ob * B * in + from * kWidth;
          for_rows<T>([&](auto row) {
            TransformWeights<T, B, vectors, row>(taps.data(), channels,
                                                 panel + row * T::kSide * in * out, in * out);
          });
        });
      });
    });
  });
}

/// The epilogue's bias, with zeros for the channels that fill the last block.
void fill_bias(const Task& task, float* bias) {
  std::fill_n(bias, whole_blocks(task.y.shape.c()), 0.0f);
  if (task.epilogue.bias != nullptr) std::copy_n(task.epilogue.bias, task.y.shape.c(), bias);
}

/// Each worker has groups of its own.
template <class T, int B>
void RunTransformed(const Task& task, float* scratch) {
  const std::int64_t ic = whole_blocks(task.channels());
  const std::int64_t largest = GroupSize<T>(ic), tiles = task.tiles.count();
  // Whole rounds of all workers, so that none waits for the last group.
  const std::int64_t workers = threads();
  const std::int64_t rounds = (tiles + largest * workers - 1) / (largest * workers);
  const std::int64_t groups = rounds * workers;
  const std::int64_t worker_floats = largest * kFrequencies<T> * (ic + kPair * B);
  float* bias = scratch + workers * worker_floats;
  fill_bias(task, bias);
  // Scratch goes with the worker's number: the thread's own is another team's where a caller has
  // threads of its own.
  parallel_for(workers, [&](std::int64_t worker) {
    float* inputs = scratch + worker * worker_floats;
    float* products = inputs + largest * kFrequencies<T> * ic;
    for (std::int64_t g = worker * rounds; g < (worker + 1) * rounds; ++g) {
      const std::int64_t first = tiles * g / groups, count = tiles * (g + 1) / groups - first;
      if (count == 0) continue;
      TransformInput<T, B>(task, first, count, largest, inputs);
      for (std::int64_t ob = 0; ob < task.y.blocks(); ob += kPair) {
        Multiply<T, B>(task, ob, count, largest, inputs, products);
        TransformOutput<T, B>(task, ob, first, count, largest, products, bias);
      }
    }
  });
}

/// In how many parts of its tiles a share of result blocks is dealt out, so that all workers have
/// the same.
std::int64_t parts_of_share(std::int64_t shares, std::int64_t workers) {
  return shares >= 4 * workers ? 1 : workers / std::gcd(shares, workers);
}

/// The workers share groups; each has pairs of result blocks of its own.
template <class T, int B>
void RunPlain(const Task& task, float* scratch) {
  const std::int64_t ic = whole_blocks(task.channels()), oc = whole_blocks(task.y.shape.c());
  const PlainWeights plain{task.weights.data, task.channels(), task.y.shape.c(),
                           task.weights.form == WinogradForm::turned};
  const std::int64_t tiles = task.tiles.count(), workers = threads();
  const SharedGroups shared = shared_groups<T>(ic, tiles);
  const std::int64_t groups = shared.count, room = shared.room;
  const std::int64_t shares = (task.y.blocks() + kPairs * kPair - 1) / (kPairs * kPair);
  const std::int64_t parts = parts_of_share(shares, workers), items = shares * parts;
  float* bias = scratch;
  float* inputs = bias + oc;
  float* own = inputs + kFrequencies<T> * ic * room;
  fill_bias(task, bias);
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int64_t first = tiles * g / groups, count = tiles * (g + 1) / groups - first;
    const std::int64_t runs =
        (count + kRows * workers - 1) / (kRows * workers) * workers;  // their stores lie together
    parallel_for(runs, [&](std::int64_t run) {
      const std::int64_t begin = count * run / runs, end = count * (run + 1) / runs;
      TransformInput<T, B>(task, first + begin, end - begin, room, inputs + begin * B);
    });
    parallel_for(workers, [&](std::int64_t worker) {
      const PlainScratch<T, B> mine(own + worker * PlainScratch<T, B>::floats(room), room);
      for (std::int64_t i = items * worker / workers; i < items * (worker + 1) / workers; ++i) {
        const std::int64_t begin = count * (i % parts) / parts;
        const std::int64_t some = count * (i % parts + 1) / parts - begin;
        if (some == 0) continue;
        const std::int64_t ob = i / parts * kPairs * kPair;
        MultiplyPlain<T, B>(task, plain, ob, some, room, inputs + begin * B, mine);
        for (std::int64_t pair = 0; pair < kPairs; ++pair) {
          TransformOutput<T, B>(task, ob + pair * kPair, first + begin, some, room,
                                mine.products(pair), bias);
        }
      }
    });
  }
}

void WinogradConvolution(std::span<const View> sources, const WinogradWeights& weights,
                         const WinogradWindow& window, const ConvEpilogue& epilogue, const View& y,
                         float* scratch) {
  const Task task(sources, weights, window, epilogue, y);
  with_tile(window.tile, [&]<class T>(T) {
    with_block(y.block, [&](auto block) {
      if (weights.form == WinogradForm::transformed) {
        RunTransformed<T, block>(task, scratch);
      } else {
        RunPlain<T, block>(task, scratch);
      }
    });
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Pack);
HWY_EXPORT(ScratchFloats);
HWY_EXPORT(WinogradConvolution);

std::int64_t winograd_weight_floats(int tile, std::int64_t ic, std::int64_t oc) {
  return (tile + 2) * (tile + 2) * whole_blocks(ic) * whole_blocks(oc);
}

void winograd_pack(const float* weights, int tile, std::int64_t oc, std::int64_t ic, bool backward,
                   float* packed) {
  HWY_DYNAMIC_DISPATCH(Pack)
  (weights, backward, tile, backward ? oc : ic, backward ? ic : oc, packed);
}

std::int64_t winograd_scratch_floats(WinogradForm form, std::int64_t ic, const Shape& results,
                                     const WinogradWindow& window, int threads) {
  return HWY_DYNAMIC_DISPATCH(ScratchFloats)(form, ic, results, window, threads);
}

void winograd_convolution(std::span<const View> sources, const WinogradWeights& weights,
                          const WinogradWindow& window, const ConvEpilogue& epilogue, const View& y,
                          float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradConvolution)(sources, weights, window, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
#endif
