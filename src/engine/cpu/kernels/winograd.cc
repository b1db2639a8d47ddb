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

// A group of tiles goes through three stages that stay in the second cache: inputs to 36
// frequencies, one small matrix product for each frequency (tiles x channels), frequencies to
// results.
HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {  // other kernels have tasks and tiles too

constexpr std::int64_t kFrequencies = 36;
constexpr std::int64_t kCacheFloats = 160 * 1024;  // of transformed inputs and products of a group
// Rows of the product held in registers, times two vectors of channels.
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;

/// Tiles of one group.
std::int64_t GroupSize(std::int64_t ic, std::int64_t oc) {
  const std::int64_t fit = kCacheFloats / (kFrequencies * (whole_blocks(ic) + whole_blocks(oc)));
  return std::clamp<std::int64_t>(fit / kRows * kRows, kRows, 8 * kRows);
}

template <class V>
struct Line {
  V v[6];
};

/// B^T d
template <class D, class V = hn::Vec<D>>
HWY_INLINE Line<V> to_frequencies(D d, const Line<V>& in) {
  const V two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), five = hn::Set(d, 5.0f);
  const V* x = in.v;
  const V a = hn::NegMulAdd(four, x[2], x[4]), b = hn::NegMulAdd(four, x[1], x[3]);
  const V c = hn::Sub(x[4], x[2]), e = hn::Mul(two, hn::Sub(x[3], x[1]));
  return {{hn::MulAdd(four, x[0], hn::NegMulAdd(five, x[2], x[4])), hn::Add(a, b), hn::Sub(a, b),
           hn::Add(c, e), hn::Sub(c, e), hn::MulAdd(four, x[1], hn::NegMulAdd(five, x[3], x[5]))}};
}

/// A^T m: the first four of the result count.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Line<V> from_frequencies(D d, const Line<V>& in) {
  const V* m = in.v;
  const V a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]);
  const V c = hn::Add(m[3], m[4]), e = hn::Sub(m[3], m[4]);
  return {{hn::Add(hn::Add(m[0], a), c), hn::MulAdd(hn::Set(d, 2.0f), e, b),
           hn::MulAdd(hn::Set(d, 4.0f), c, a), hn::Add(hn::MulAdd(hn::Set(d, 8.0f), e, b), m[5]),
           m[0], m[0]}};
}

/// The first result of a tile; the others lie a dilation apart.
struct TileAt {
  std::int64_t n, y, x;
};

/// Where tiles begin along one axis: every d-th pixel is a picture of its own.
std::vector<std::int64_t> TileOrigins(std::int64_t results, int dilation) {
  std::vector<std::int64_t> origins;
  for (int phase = 0; phase < dilation; ++phase) {
    for (std::int64_t i = phase; i < results; i += 4 * dilation) origins.push_back(i);
  }
  return origins;
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
        rows(TileOrigins(output.shape.h(), w.dilation.h)),
        columns(TileOrigins(output.shape.w(), w.dilation.w)) {}

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
template <int B>
void TransformInput(const Task& task, std::int64_t first, std::int64_t count, std::int64_t room,
                    float* inputs) {
  const View& x = task.x;
  const std::int64_t blocks = x.blocks(), h = x.shape.h(), w = x.shape.w();
  const std::int64_t step = blocks * room * B;  // from one frequency to the next
  const Size2 apart = task.window.dilation;
  for (std::int64_t t = 0; t < count; ++t) {
    const TileAt at = task.tile(first + t);
    const std::int64_t y0 = at.y - task.window.top, x0 = at.x - task.window.left;
    const bool inside = y0 >= 0 && x0 >= 0 && y0 + 5 * apart.h < h && x0 + 5 * apart.w < w;
    for (std::int64_t cb = 0; cb < blocks; ++cb) {
      const float* plane = x.at(at.n, cb);
      float* out = inputs + (cb * room + t) * B;
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        Line<V> rows[6];
        for (int i = 0; i < 6; ++i) {
          Line<V> line;
          for (int j = 0; j < 6; ++j) {
            const std::int64_t sy = y0 + i * apart.h, sx = x0 + j * apart.w;
            const bool there = inside || (sy >= 0 && sy < h && sx >= 0 && sx < w);
            line.v[j] = there ? hn::LoadU(d, plane + (sy * w + sx) * B + lane) : hn::Zero(d);
          }
          rows[i] = to_frequencies(d, line);
        }
        for (int j = 0; j < 6; ++j) {
          const Line<V> column =
              to_frequencies(d, Line<V>{{rows[0].v[j], rows[1].v[j], rows[2].v[j], rows[3].v[j],
                                         rows[4].v[j], rows[5].v[j]}});
          for (int i = 0; i < 6; ++i) hn::StoreU(column.v[i], d, out + (i * 6 + j) * step + lane);
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

template <int B>
void Multiply(const Task& task, std::int64_t count, std::int64_t room, const float* inputs,
              float* products) {
  const std::int64_t blocks = task.x.blocks(), results = task.y.blocks();
  for (std::int64_t f = 0; f < kFrequencies; ++f) {
    const float* in = inputs + f * blocks * room * B;
    float* out = products + f * results * room * B;
    const float* weights = task.packed + f * blocks * B * results * B;
    for (std::int64_t ob = 0; ob < results; ob += 2) {
      const float* panel = weights + ob * B * blocks * B;
      if (ob + 1 < results) {
        MultiplyPanel<B, 2>(in, count, blocks, room, panel, out + ob * room * B);
      } else {
        MultiplyPanel<B, 1>(in, count, blocks, room, panel, out + ob * room * B);
      }
    }
  }
}

/// How many of a tile's four results along an axis exist.
int ResultsInside(std::int64_t first, int apart, std::int64_t size) {
  return static_cast<int>(std::min<std::int64_t>(4, (size - first + apart - 1) / apart));
}

template <int B>
void TransformOutput(const Task& task, std::int64_t first, std::int64_t count, std::int64_t room,
                     const float* products, const float* bias) {
  const View& y = task.y;
  const View& residual = task.epilogue.residual;
  const Activation activation = task.epilogue.activation;
  const std::int64_t blocks = y.blocks(), step = blocks * room * B, w = y.shape.w();
  const Size2 apart = task.window.dilation;
  for (std::int64_t t = 0; t < count; ++t) {
    const TileAt at = task.tile(first + t);
    const int rows = ResultsInside(at.y, apart.h, y.shape.h());
    const int columns = ResultsInside(at.x, apart.w, w);
    for (std::int64_t ob = 0; ob < blocks; ++ob) {
      const float* in = products + (ob * room + t) * B;
      const std::int64_t origin = (at.y * w + at.x) * B;
      float* out = y.at(at.n, ob) + origin;
      const float* plus = residual.data == nullptr ? nullptr : residual.at(at.n, ob) + origin;
      for_lanes<B>([&](std::size_t lane) HWY_ATTR {
        const Lanes<B> d;
        using V = hn::Vec<Lanes<B>>;
        const V b = hn::LoadU(d, bias + ob * B + lane);
        Line<V> lines[6];
        for (int i = 0; i < 6; ++i) {
          Line<V> line;
          for (int j = 0; j < 6; ++j) line.v[j] = hn::LoadU(d, in + (i * 6 + j) * step + lane);
          lines[i] = from_frequencies(d, line);
        }
        for (int j = 0; j < columns; ++j) {
          const Line<V> column =
              from_frequencies(d, Line<V>{{lines[0].v[j], lines[1].v[j], lines[2].v[j],
                                           lines[3].v[j], lines[4].v[j], lines[5].v[j]}});
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

std::int64_t ScratchFloats(std::int64_t ic, std::int64_t oc, int threads) {
  const std::int64_t group =
      GroupSize(ic, oc) * kFrequencies * (whole_blocks(ic) + whole_blocks(oc));
  return threads * group + whole_blocks(oc);
}

template <int B>
void Run(const Task& task, float* scratch) {
  const std::int64_t ic = whole_blocks(task.x.shape.c()), oc = whole_blocks(task.y.shape.c());
  const std::int64_t largest = GroupSize(ic, oc), tiles = task.tiles();
  // Whole rounds of all workers, so that none waits for the last group.
  const std::int64_t workers = threads();
  const std::int64_t rounds = (tiles + largest * workers - 1) / (largest * workers);
  const std::int64_t groups = rounds * workers;
  const std::int64_t worker_floats = largest * kFrequencies * (ic + oc);
  float* bias = scratch + workers * worker_floats;
  std::fill_n(bias, oc, 0.0f);
  if (task.epilogue.bias != nullptr) std::copy_n(task.epilogue.bias, task.y.shape.c(), bias);
  // Scratch goes with the worker's number: the thread's own is another team's where a caller has
  // threads of its own.
  parallel_for(workers, [&](std::int64_t worker) {
    float* inputs = scratch + worker * worker_floats;
    float* products = inputs + largest * kFrequencies * ic;
    for (std::int64_t g = worker * rounds; g < (worker + 1) * rounds; ++g) {
      const std::int64_t first = tiles * g / groups, count = tiles * (g + 1) / groups - first;
      if (count == 0) continue;
      TransformInput<B>(task, first, count, largest, inputs);
      Multiply<B>(task, count, largest, inputs, products);
      TransformOutput<B>(task, first, count, largest, products, bias);
    }
  });
}

void WinogradConvolution(const View& x, const float* packed, const WinogradWindow& window,
                         const ConvEpilogue& epilogue, const View& y, float* scratch) {
  const Task task(x, packed, window, epilogue, y);
  with_block(y.block, [&](auto block) { Run<block>(task, scratch); });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(ScratchFloats);
HWY_EXPORT(WinogradConvolution);

namespace {

/// G g G^T of one 3x3 kernel, in double: the weights lose nothing before the product.
std::array<double, 36> kernel_frequencies(const std::array<double, 9>& g) {
  constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                               {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                               {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                               {1.0 / 24, 1.0 / 12, 1.0 / 6},
                               {1.0 / 24, -1.0 / 12, 1.0 / 6},
                               {0, 0, 1}};
  std::array<double, 36> result{};
  for (int i = 0; i < 6; ++i) {
    double row[3] = {};
    for (int k = 0; k < 3; ++k) {
      for (int j = 0; j < 3; ++j)
        row[j] += kG[i][k] * g[3 * static_cast<std::size_t>(k) + static_cast<std::size_t>(j)];
    }
    for (int j = 0; j < 6; ++j) {
      for (int k = 0; k < 3; ++k)
        result[6 * static_cast<std::size_t>(i) + static_cast<std::size_t>(j)] += row[k] * kG[j][k];
    }
  }
  return result;
}

}  // namespace

std::int64_t winograd_weight_floats(std::int64_t ic, std::int64_t oc) {
  return 36 * whole_blocks(ic) * whole_blocks(oc);
}

void winograd_pack(const float* weights, std::int64_t oc, std::int64_t ic, bool backward,
                   float* packed) {
  const std::int64_t block = vector_block();
  const std::int64_t in = whole_blocks(backward ? oc : ic);
  const std::int64_t out = whole_blocks(backward ? ic : oc);
  std::fill_n(packed, 36 * in * out, 0.0f);
  parallel_for(oc, [&](std::int64_t o) {
    for (std::int64_t i = 0; i < ic; ++i) {
      std::array<double, 9> kernel;
      for (std::size_t k = 0; k < 9; ++k) {
        const std::int64_t at = (o * ic + i) * 9;
        kernel[k] = weights[at + static_cast<std::int64_t>(backward ? 8 - k : k)];
      }
      const std::array<double, 36> frequencies = kernel_frequencies(kernel);
      const std::int64_t from = backward ? o : i, to = backward ? i : o;
      // Result blocks stand in pairs, [frequency][pair][channel][2 blocks]; the last may be single.
      const std::int64_t first = to / (2 * block) * 2 * block;
      const std::int64_t width = std::min(2 * block, out - first);
      for (std::size_t f = 0; f < 36; ++f) {
        float* panel = packed + static_cast<std::int64_t>(f) * in * out + first * in;
        panel[from * width + (to - first)] = static_cast<float>(frequencies[f]);
      }
    }
  });
}

std::int64_t winograd_scratch_floats(std::int64_t ic, std::int64_t oc, int threads) {
  return HWY_DYNAMIC_DISPATCH(ScratchFloats)(ic, oc, threads);
}

void winograd_convolution(const View& x, const float* packed, const WinogradWindow& window,
                          const ConvEpilogue& epilogue, const View& y, float* scratch) {
  HWY_DYNAMIC_DISPATCH(WinogradConvolution)(x, packed, window, epilogue, y, scratch);
}

}  // namespace segmentum::cpu
#endif
