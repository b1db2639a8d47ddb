// The transforms of Winograd's F(4, 3) and F(6, 3) along one axis, on vectors, and where tiles lie:
// included once for each instruction set by the kernels. Lavin and Gray, CVPR 2016.
#if defined(SEGMENTUM_CPU_WINOGRAD_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEGMENTUM_CPU_WINOGRAD_TILES_INL_H_
#undef SEGMENTUM_CPU_WINOGRAD_TILES_INL_H_
#else
#define SEGMENTUM_CPU_WINOGRAD_TILES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <vector>

#include "engine/cpu/kernels/block-inl.h"
#include "tensor/shape.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V, int N>
struct Line {
  V v[N];
};

/// F(4, 3), by the points 0, 1, -1, 2, -2 and infinity.
struct Tile4 {
  static constexpr int kResults = 4, kSide = 6;

  /// B^T d
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 6> to_frequencies(D d, const Line<V, 6>& in) {
    const V two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), five = hn::Set(d, 5.0f);
    const V* x = in.v;
    const V a = hn::NegMulAdd(four, x[2], x[4]), b = hn::NegMulAdd(four, x[1], x[3]);
    const V c = hn::Sub(x[4], x[2]), e = hn::Mul(two, hn::Sub(x[3], x[1]));
    return {{hn::MulAdd(four, x[0], hn::NegMulAdd(five, x[2], x[4])), hn::Add(a, b), hn::Sub(a, b),
             hn::Add(c, e), hn::Sub(c, e),
             hn::MulAdd(four, x[1], hn::NegMulAdd(five, x[3], x[5]))}};
  }

  /// G g
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 6> weight_frequencies(D d, const Line<V, 3>& taps) {
    const V* g = taps.v;
    const V sixth = hn::Set(d, 1.0f / 6), twelfth = hn::Set(d, 1.0f / 12);
    const V a = hn::Mul(hn::Set(d, -1.0f / 6), hn::Add(g[0], g[2]));
    const V b = hn::MulAdd(sixth, g[2], hn::Mul(hn::Set(d, 1.0f / 24), g[0]));
    return {{hn::Mul(hn::Set(d, 0.25f), g[0]), hn::NegMulAdd(sixth, g[1], a),
             hn::MulAdd(sixth, g[1], a), hn::MulAdd(twelfth, g[1], b),
             hn::NegMulAdd(twelfth, g[1], b), g[2]}};
  }

  /// A^T m
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 4> from_frequencies(D d, const Line<V, 6>& in) {
    const V* m = in.v;
    const V a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]);
    const V c = hn::Add(m[3], m[4]), e = hn::Sub(m[3], m[4]);
    return {{hn::Add(hn::Add(m[0], a), c), hn::MulAdd(hn::Set(d, 2.0f), e, b),
             hn::MulAdd(hn::Set(d, 4.0f), c, a),
             hn::Add(hn::MulAdd(hn::Set(d, 8.0f), e, b), m[5])}};
  }

  /// A w, the transpose of `from_frequencies`: of a result's gradient.
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 6> gradient_to_frequencies(D d, const Line<V, 4>& in) {
    const V two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f);
    const V* w = in.v;
    const V even = hn::Add(w[0], w[2]), odd = hn::Add(w[1], w[3]);
    const V even2 = hn::MulAdd(four, w[2], w[0]);
    const V odd2 = hn::Mul(two, hn::MulAdd(four, w[3], w[1]));
    return {{w[0], hn::Add(even, odd), hn::Sub(even, odd), hn::Add(even2, odd2),
             hn::Sub(even2, odd2), w[3]}};
  }

  /// G^T m, the transpose of what takes weights to frequencies: a weight's gradient.
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 3> gradient_from_frequencies(D d, const Line<V, 6>& in) {
    const V sixth = hn::Set(d, 1.0f / 6.0f), twelfth = hn::Set(d, 1.0f / 12.0f);
    const V* m = in.v;
    const V a = hn::Mul(sixth, hn::Add(m[1], m[2])), b = hn::Mul(sixth, hn::Sub(m[2], m[1]));
    const V c = hn::Mul(sixth, hn::Add(m[3], m[4])), e = hn::Sub(m[3], m[4]);
    const V quarter = hn::Set(d, 0.25f);
    return {{hn::Sub(hn::Mul(quarter, hn::Add(m[0], c)), a), hn::MulAdd(twelfth, e, b),
             hn::Add(hn::Sub(c, a), m[5])}};
  }
};

/// F(6, 3), by the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
struct Tile6 {
  static constexpr int kResults = 6, kSide = 8;

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 8> to_frequencies(D d, const Line<V, 8>& in) {
    const V quarter = hn::Set(d, 0.25f), four = hn::Set(d, 4.0f), half = hn::Set(d, 0.5f);
    const V five = hn::Set(d, 5.0f), fiveq = hn::Set(d, 1.25f), two = hn::Set(d, 2.0f);
    const V m17q = hn::Set(d, 4.25f), m21q = hn::Set(d, 5.25f);
    const V* x = in.v;
    const V even1 = hn::NegMulAdd(m17q, x[4], hn::Add(x[2], x[6]));
    const V odd1 = hn::NegMulAdd(m17q, x[3], hn::Add(x[1], x[5]));
    const V even2 = hn::MulAdd(quarter, x[2], hn::NegMulAdd(fiveq, x[4], x[6]));
    const V odd2 = hn::MulAdd(four, x[5], hn::NegMulAdd(five, x[3], x[1]));
    const V even3 = hn::MulAdd(four, x[2], hn::NegMulAdd(five, x[4], x[6]));
    const V odd3 = hn::MulAdd(quarter, x[5], hn::NegMulAdd(fiveq, x[3], x[1]));
    return {{hn::MulAdd(m21q, hn::Sub(x[4], x[2]), hn::Sub(x[0], x[6])), hn::Add(even1, odd1),
             hn::Sub(even1, odd1), hn::MulAdd(half, odd2, even2), hn::NegMulAdd(half, odd2, even2),
             hn::MulAdd(two, odd3, even3), hn::NegMulAdd(two, odd3, even3),
             hn::MulAdd(m21q, hn::Sub(x[3], x[5]), hn::Sub(x[7], x[1]))}};
  }

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 8> weight_frequencies(D d, const Line<V, 3>& taps) {
    const V* g = taps.v;
    const auto both = [&](float first, float second, float third) HWY_ATTR {
      const V even = hn::MulAdd(hn::Set(d, third), g[2], hn::Mul(hn::Set(d, first), g[0]));
      const V factor = hn::Set(d, second);
      return Line<V, 2>{{hn::MulAdd(factor, g[1], even), hn::NegMulAdd(factor, g[1], even)}};
    };
    const Line<V, 2> ones = both(-2.0f / 9, -2.0f / 9, -2.0f / 9);
    const Line<V, 2> twos = both(1.0f / 90, 1.0f / 45, 2.0f / 45);
    const Line<V, 2> halves = both(32.0f / 45, 16.0f / 45, 8.0f / 45);
    return {{g[0], ones.v[0], ones.v[1], twos.v[0], twos.v[1], halves.v[0], halves.v[1], g[2]}};
  }

  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE Line<V, 6> from_frequencies(D d, const Line<V, 8>& in) {
    const V* m = in.v;
    const V a = hn::Add(m[1], m[2]), b = hn::Sub(m[1], m[2]);
    const V c = hn::Add(m[3], m[4]), e = hn::Sub(m[3], m[4]);
    const V f = hn::Add(m[5], m[6]), g = hn::Sub(m[5], m[6]);
    const auto sum = [d](V first, float second_factor, V second, float third_factor, V third)
                         HWY_ATTR {
                           return hn::MulAdd(hn::Set(d, third_factor), third,
                                             hn::MulAdd(hn::Set(d, second_factor), second, first));
                         };
    return {{hn::Add(hn::Add(m[0], a), hn::Add(c, f)), sum(b, 2.0f, e, 0.5f, g),
             sum(a, 4.0f, c, 0.25f, f), sum(b, 8.0f, e, 0.125f, g), sum(a, 16.0f, c, 0.0625f, f),
             hn::Add(sum(b, 32.0f, e, 0.03125f, g), m[7])}};
  }
};

/// The first result of a tile; the others lie a dilation apart.
struct TileAt {
  std::int64_t n, y, x;
};

/// The tiles of all pictures, in their order: every d-th pixel is a picture of its own.
class TilesOfResults {
 public:
  /// Tiles of `tile` results along each axis, which lie `apart`; of those a tile begins at `phase`,
  /// and the first one may begin before the picture.
  TilesOfResults(const Shape& results, int tile, Size2 apart, Size2 phase = 0)
      : pictures_(results.n()),
        rows_(origins(results.h(), tile, apart.h, phase.h)),
        columns_(origins(results.w(), tile, apart.w, phase.w)) {}

  std::int64_t count() const { return pictures_ * of_picture(); }
  TileAt at(std::int64_t i) const {
    const auto in_picture = static_cast<std::size_t>(i % of_picture());
    return {i / of_picture(), rows_[in_picture / columns_.size()],
            columns_[in_picture % columns_.size()]};
  }

 private:
  static std::vector<std::int64_t> origins(std::int64_t results, int tile, int apart, int phase) {
    std::vector<std::int64_t> origins;
    const int before = phase > 0 ? phase - tile : 0;
    for (int picture = 0; picture < apart; ++picture) {
      for (std::int64_t i = before + picture; i < results; i += tile * apart) origins.push_back(i);
    }
    return origins;
  }
  std::int64_t of_picture() const {
    return static_cast<std::int64_t>(rows_.size() * columns_.size());
  }

  std::int64_t pictures_;
  std::vector<std::int64_t> rows_, columns_;
};

/// Where a tile begins in a picture of h x w pixels, whose rows are `pitch` pixels apart; what lies
/// outside counts as zeros.
struct TileWindow {
  std::int64_t y, x;
  Size2 apart;
  std::int64_t h, w, pitch;

  bool holds_all(int side) const {
    return y >= 0 && x >= 0 && y + (side - 1) * apart.h < h && x + (side - 1) * apart.w < w;
  }
  bool holds(std::int64_t row, std::int64_t column) const {
    return row >= 0 && row < h && column >= 0 && column < w;
  }
};

/// In x In pixels of one block of channels to Out x Out frequencies, `step` floats
/// apart, each axis by `transform`.
template <int B, int In, int Out, class Transform>
HWY_INLINE void tile_to_frequencies(const float* plane, const TileWindow& window, float* out,
                                    std::int64_t step, const Transform& transform) {
  const bool inside = window.holds_all(In);
  for_lanes<B>([&](std::size_t lane) HWY_ATTR {
    const Lanes<B> d;
    using V = hn::Vec<Lanes<B>>;
    Line<V, Out> rows[In];
    for (int i = 0; i < In; ++i) {
      Line<V, In> line;
      for (int j = 0; j < In; ++j) {
        const std::int64_t y = window.y + i * window.apart.h, x = window.x + j * window.apart.w;
        const bool there = inside || window.holds(y, x);
        line.v[j] = there ? hn::LoadU(d, plane + (y * window.pitch + x) * B + lane) : hn::Zero(d);
      }
      rows[i] = transform(d, line);
    }
    for (int j = 0; j < Out; ++j) {
      Line<V, In> column;
      for (int i = 0; i < In; ++i) column.v[i] = rows[i].v[j];
      const Line<V, Out> done = transform(d, column);
      for (int i = 0; i < Out; ++i) hn::StoreU(done.v[i], d, out + (i * Out + j) * step + lane);
    }
  });
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
