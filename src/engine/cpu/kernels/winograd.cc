#include "engine/cpu/kernels/winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"
#include "engine/cpu/kernels/winograd_tile-inl.h"

// A group of tiles goes through three stages that stay in the second cache: inputs to frequencies,
// one small matrix product for each frequency (tiles x channels), frequencies to results; the last
// two for a pair of blocks of results at a time. A tile is 4x4 results from 36 frequencies, or 6x6
// from 64.
HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

constexpr std::int64_t kCacheFloats = 160 * 1024;  // of transformed inputs and products of a group
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

struct Task {
  const View& x;
  const float* packed;
  const WinogradWindow window;
  const ConvEpilogue& epilogue;
  const View& y;
  const std::vector<std::int64_t> rows, columns;

  Task(const View& input, const float* weights, const WinogradWindow& w, const ConvEpilogue& e,
       const View& output)
      : x(input),
        packed(weights),
        window(w),
        epilogue(e),
        y(output),
        rows(TileOrigins(output.shape.h(), w.tile, w.dilation.h)),
        columns(TileOrigins(output.shape.w(), w.tile, w.dilation.w)) {}

  std::int64_t image_tiles() const {
    return static_cast<std::int64_t>(rows.size() * columns.size());
  }
  std::int64_t tiles() const { return y.shape.n() * image_tiles(); }
  TileAt tile(std::int64_t i) const {
    const auto in_image = static_cast<std::size_t>(i % image_tiles());
    return {i / image_tiles(), rows[in_image / columns.size()], columns[in_image % columns.size()]};
  }
};

/// inputs [frequency][channel block][tile][B]
template <class T, int B>
void TransformInput(const Task& task, std::int64_t first, std::int64_t count, std::int64_t room,
                    float* inputs) {
  constexpr int kSide = T::kSide;
  const View& x = task.x;
  const std::int64_t blocks = x.blocks(), h = x.shape.h(), w = x.shape.w();
  const std::int64_t step = blocks * room * B;  // from one frequency to the next
  const Size2 apart = task.window.dilation;
  for (std::int64_t t = 0; t < count; ++t) {
    const TileAt at = task.tile(first + t);
    const std::int64_t y0 = at.y - task.window.top, x0 = at.x - task.window.left;
    const bool inside =
        y0 >= 0 && x0 >= 0 && y0 + (kSide - 1) * apart.h < h && x0 + (kSide - 1) * apart.w < w;
    for (std::int64_t cb = 0; cb < blocks; ++cb) {
      const float* plane = x.at(at.n, cb);
      float* out = inputs + (cb * room + t) * B;
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        Line<V, kSide> rows[kSide];
        for (int i = 0; i < kSide; ++i) {
          Line<V, kSide> line;
          for (int j = 0; j < kSide; ++j) {
            const std::int64_t sy = y0 + i * apart.h, sx = x0 + j * apart.w;
            const bool there = inside || (sy >= 0 && sy < h && sx >= 0 && sx < w);
            line.v[j] = there ? hn::LoadU(d, plane + (sy * w + sx) * B + lane) : hn::Zero(d);
          }
          rows[i] = T::to_frequencies(d, line);
        }
        for (int j = 0; j < kSide; ++j) {
          Line<V, kSide> column;
          for (int i = 0; i < kSide; ++i) column.v[i] = rows[i].v[j];
          column = T::to_frequencies(d, column);
          for (int i = 0; i < kSide; ++i) {
            hn::StoreU(column.v[i], d, out + (i * kSide + j) * step + lane);
          }
        }
      });
    }
  }
}

/// products[t][0..Vectors*B) = sum over channels of inputs[t][c] * weights[c][0..Vectors*B), for R
/// tiles.
template <int B, int R, int Vectors>
HWY_INLINE void multiply_rows(const float* inputs, std::int64_t blocks, std::int64_t room,
                              const float* weights, float* products) {
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    hn::Vec<Lanes<B>> sum[R][Vectors];
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < Vectors; ++v) sum[r][v] = hn::Zero(d);
    }
    const float* weight = weights + lane;
    for (std::int64_t cb = 0; cb < blocks; ++cb) {
      const float* in = inputs + cb * room * B;
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
                   const float* weights, float* products) {
  std::int64_t t = 0;
  const auto rows = [&]<int R>() {
    for (; t + R <= count; t += R) {
      multiply_rows<B, R, Vectors>(inputs + t * B, blocks, room, weights, products + t * B);
    }
  };
  rows.template operator()<kRows>();
  rows.template operator()<kRows / 2>();
  rows.template operator()<2>();
  rows.template operator()<1>();
}

/// products [frequency][result block of the pair][tile][B] of the pair that begins with block `ob`.
template <class T, int B>
void Multiply(const Task& task, std::int64_t ob, std::int64_t count, std::int64_t room,
              const float* inputs, float* products) {
  const std::int64_t blocks = task.x.blocks(), results = task.y.blocks();
  for (std::int64_t f = 0; f < kFrequencies<T>; ++f) {
    const float* in = inputs + f * blocks * room * B;
    float* out = products + f * kPair * room * B;
    const float* panel = task.packed + (f * results + ob) * B * blocks * B;
    if (ob + 1 < results) {
      MultiplyPanel<B, 2>(in, count, blocks, room, panel, out);
    } else {
      MultiplyPanel<B, 1>(in, count, blocks, room, panel, out);
    }
  }
}

/// How many of a tile's results along an axis exist.
int ResultsInside(const Task& task, std::int64_t first, int apart, std::int64_t size) {
  return static_cast<int>(
      std::min<std::int64_t>(task.window.tile, (size - first + apart - 1) / apart));
}

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
    const TileAt at = task.tile(first + t);
    const int rows = ResultsInside(task, at.y, apart.h, y.shape.h());
    const int columns = ResultsInside(task, at.x, apart.w, w);
    for (std::int64_t ob = pair; ob < end; ++ob) {
      const float* in = products + ((ob - pair) * room + t) * B;
      const std::int64_t origin = (at.y * w + at.x) * B;
      float* out = y.at(at.n, ob) + origin;
      const float* plus = residual.data == nullptr ? nullptr : residual.at(at.n, ob) + origin;
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        const V b = hn::LoadU(d, bias + ob * B + lane);
        Line<V, T::kResults> lines[kSide];
        for (int i = 0; i < kSide; ++i) {
          Line<V, kSide> line;
          for (int j = 0; j < kSide; ++j) {
            line.v[j] = hn::LoadU(d, in + (i * kSide + j) * step + lane);
          }
          lines[i] = T::from_frequencies(d, line);
        }
        for (int j = 0; j < columns; ++j) {
          Line<V, kSide> line;
          for (int i = 0; i < kSide; ++i) line.v[i] = lines[i].v[j];
          const Line<V, T::kResults> column = T::from_frequencies(d, line);
          for (int i = 0; i < rows; ++i) {
            const std::int64_t pixel =
                (i * apart.h * w + j * apart.w) * B + static_cast<std::int64_t>(lane);
            V v = hn::Add(column.v[i], b);
            if (plus != nullptr) v = hn::Add(v, hn::LoadU(d, plus + pixel));
            activate_vectors<1>(d, activation, &v);
            hn::StoreU(v, d, out + pixel);
          }
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

std::int64_t ScratchFloats(int tile, std::int64_t ic, std::int64_t oc, int threads) {
  return with_tile(tile, [&]<class T>(T) {
    const std::int64_t group =
        GroupSize<T>(ic) * kFrequencies<T> * (whole_blocks(ic) + kPair * vector_block());
    return threads * group + whole_blocks(oc);
  });
}

template <class T, int B>
void Run(const Task& task, float* scratch) {
  const std::int64_t ic = whole_blocks(task.x.shape.c()), oc = whole_blocks(task.y.shape.c());
  const std::int64_t largest = GroupSize<T>(ic), tiles = task.tiles();
  // Whole rounds of all workers, so that none waits for the last group.
  const std::int64_t workers = threads();
  const std::int64_t rounds = (tiles + largest * workers - 1) / (largest * workers);
  const std::int64_t groups = rounds * workers;
  const std::int64_t worker_floats = largest * kFrequencies<T> * (ic + kPair * B);
  float* bias = scratch + workers * worker_floats;
  std::fill_n(bias, oc, 0.0f);
  if (task.epilogue.bias != nullptr) std::copy_n(task.epilogue.bias, task.y.shape.c(), bias);
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

void WinogradConvolution(const View& x, const float* packed, const WinogradWindow& window,
                         const ConvEpilogue& epilogue, const View& y, float* scratch) {
  const Task task(x, packed, window, epilogue, y);
  with_tile(window.tile, [&]<class T>(T) {
    with_block(y.block, [&](auto block) { Run<T, block>(task, scratch); });
  });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(ScratchFloats);
HWY_EXPORT(WinogradConvolution);

namespace {

constexpr std::int64_t side_of(int tile) {
  return tile + 2;
}

constexpr double kG4[6][3] = {{1.0 / 4, 0, 0},
                              {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                              {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                              {1.0 / 24, 1.0 / 12, 1.0 / 6},
                              {1.0 / 24, -1.0 / 12, 1.0 / 6},
                              {0, 0, 1}};
constexpr double kG6[8][3] = {{1, 0, 0},
                              {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                              {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                              {1.0 / 90, 1.0 / 45, 2.0 / 45},
                              {1.0 / 90, -1.0 / 45, 2.0 / 45},
                              {32.0 / 45, 16.0 / 45, 8.0 / 45},
                              {32.0 / 45, -16.0 / 45, 8.0 / 45},
                              {0, 0, 1}};

/// G g G^T of one 3x3 kernel, in double: the weights lose nothing before the product.
std::array<double, 64> kernel_frequencies(int tile, const std::array<double, 9>& g) {
  const auto side = static_cast<std::size_t>(side_of(tile));
  const auto* factors = tile == 6 ? kG6 : kG4;
  std::array<double, 64> result{};
  for (std::size_t i = 0; i < side; ++i) {
    double row[3] = {};
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t j = 0; j < 3; ++j) row[j] += factors[i][k] * g[3 * k + j];
    }
    for (std::size_t j = 0; j < side; ++j) {
      for (std::size_t k = 0; k < 3; ++k) result[side * i + j] += row[k] * factors[j][k];
    }
  }
  return result;
}

}  // namespace

std::int64_t winograd_weight_floats(int tile, std::int64_t ic, std::int64_t oc) {
  return side_of(tile) * side_of(tile) * whole_blocks(ic) * whole_blocks(oc);
}

void winograd_pack(const float* weights, int tile, std::int64_t oc, std::int64_t ic, bool backward,
                   float* packed) {
  const std::int64_t block = vector_block();
  const std::int64_t in = whole_blocks(backward ? oc : ic);
  const std::int64_t out = whole_blocks(backward ? ic : oc);
  const auto frequencies = static_cast<std::size_t>(side_of(tile) * side_of(tile));
  std::fill_n(packed, winograd_weight_floats(tile, ic, oc), 0.0f);
  parallel_for(oc, [&](std::int64_t o) {
    for (std::int64_t i = 0; i < ic; ++i) {
      std::array<double, 9> kernel;
      for (std::size_t k = 0; k < 9; ++k) {
        const std::int64_t at = (o * ic + i) * 9;
        kernel[k] = weights[at + static_cast<std::int64_t>(backward ? 8 - k : k)];
      }
      const std::array<double, 64> transformed = kernel_frequencies(tile, kernel);
      const std::int64_t from = backward ? o : i, to = backward ? i : o;
      // Result blocks stand in pairs, [frequency][pair][channel][2 blocks]; the last may be single.
      const std::int64_t first = to / (2 * block) * 2 * block;
      const std::int64_t width = std::min(2 * block, out - first);
      for (std::size_t f = 0; f < frequencies; ++f) {
        float* panel = packed + static_cast<std::int64_t>(f) * in * out + first * in;
        panel[from * width + (to - first)] = static_cast<float>(transformed[f]);
      }
    }
  });
}

std::int64_t winograd_scratch_floats(int tile, std::int64_t ic, std::int64_t oc, int threads) {
  return HWY_DYNAMIC_DISPATCH(ScratchFloats)(tile, ic, oc, threads);
}

void winograd_convolution(const View& x, const float* packed, const WinogradWindow& window,
                          const ConvEpilogue& epilogue, const View& y, float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradConvolution)(x, packed, window, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
#endif
