// A stretch of a row at a time: the source pixels that it is drawn from are blended and turned to
// plain, a line for each class, while they are few; then for each vector of pixels the classes are
// gone through with the best so far in registers.
#include "engine/cpu/kernels/score_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/score_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <vector>

#include "base/exponential-inl.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace {
using segmentum::HWY_NAMESPACE::exp_negative;

using Pixels = hn::CappedTag<float, 16>;
using PixelVector = hn::Vec<Pixels>;
constexpr std::int64_t kMostPixels = 16;  // of a vector
constexpr std::int64_t kStretch = 256;    // results at a time

/// The lines of one stretch, and how a vector of results is drawn from them.
class Lines {
 public:
  Lines(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y, Interval x)
      : drawing_(drawing), classes_(value.shape.c()) {
    const ResizeTap& last = tap(x.end - 1);
    span_ = {tap(x.begin).first, std::max(last.first, last.second) + 1};
    stride_ = span_.size() + kMostPixels;  // vectors are loaded whole
    lines_.resize(static_cast<std::size_t>(classes_ * stride_ * (drawing.magnifies ? 2 : 1)));
    const ResizeTap& row = drawing.rows[static_cast<std::size_t>(y)];
    with_block(value.block, [&](auto block) { fill<block>(value, n, row); });
    if (drawing.magnifies) find_rises();
  }

  std::int64_t classes() const { return classes_; }

  /// The results [at, at + lanes) of every class are drawn after this; beyond `end`, anything.
  void set_pixels(std::int64_t at, std::int64_t end) {
    const Pixels d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    base_ = tap(at).first;
    near_ = true;
    for (std::int64_t i = 0; i < lanes; ++i) {
      const ResizeTap& t = tap(std::min(at + i, end - 1));
      first_[i] = static_cast<std::int32_t>(t.first - base_);
      weights_[i] = t.weight;
      near_ &= first_[i] < lanes;  // else made small: results lie further apart in the source
    }
  }

  HWY_INLINE PixelVector scores(std::int64_t k) const {
    const Pixels d;
    const float* line = lines_.data() + k * stride_ + (base_ - span_.begin);
    if (!drawing_.magnifies) return pick(line);
    const float* rise = line + classes_ * stride_;
    return hn::MulAdd(pick(rise), hn::Load(d, weights_), pick(line));
  }

 private:
  const ResizeTap& tap(std::int64_t x) const {
    return drawing_.columns[static_cast<std::size_t>(x)];
  }

  HWY_INLINE PixelVector pick(const float* line) const {
    const Pixels d;
    if (near_) return hn::TableLookupLanes(hn::LoadU(d, line), hn::SetTableIndices(d, first_));
    HWY_ALIGN float values[kMostPixels];
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) values[i] = line[first_[i]];
    return hn::Load(d, values);
  }

  /// Line k, pixel i: above + (below - above) * row.weight, class k of source pixel begin + i.
  template <int B>
  void fill(const View& value, std::int64_t n, const ResizeTap& row) {
    for (std::int64_t cb = 0; cb < value.blocks(); ++cb) {
      const float* above = value.at(n, cb, row.first) + span_.begin * B;
      const float* below = value.at(n, cb, row.second) + span_.begin * B;
      const std::int64_t used = std::min<std::int64_t>(B, classes_ - cb * B);
      float* line = lines_.data() + cb * B * stride_;
      HWY_ALIGN float pixel[B];
      for (std::int64_t i = 0; i < span_.size(); ++i) {
        for_lanes<B>([&](std::size_t lane) HWY_ATTR {
          const Lanes<B> d;
          auto v = hn::LoadU(d, above + i * B + lane);
          if (above != below) {
            const auto difference = hn::Sub(hn::LoadU(d, below + i * B + lane), v);
            v = hn::MulAdd(difference, hn::Set(d, row.weight), v);
          }
          hn::Store(v, d, pixel + lane);
        });
        for (std::int64_t c = 0; c < used; ++c) line[c * stride_ + i] = pixel[c];
      }
    }
  }

  /// To the next pixel; the picture's last one has no next.
  void find_rises() {
    for (std::int64_t k = 0; k < classes_; ++k) {
      const float* line = lines_.data() + k * stride_;
      float* rise = lines_.data() + (classes_ + k) * stride_;
      for (std::int64_t i = 0; i + 1 < span_.size(); ++i) rise[i] = line[i + 1] - line[i];
    }
  }

  const ScoreDrawing& drawing_;
  std::int64_t classes_, stride_ = 0;
  Interval span_;             // source pixels of the stretch
  std::vector<float> lines_;  // by class; then by class how far it is to the next pixel
  std::int64_t base_ = 0;
  bool near_ = true;
  HWY_ALIGN std::int32_t first_[kMostPixels] = {};  // from `base_`
  HWY_ALIGN float weights_[kMostPixels] = {};
};

/// Calls body(lines, at, count) for each vector of results, the lines set to it.
template <typename Body>
HWY_INLINE void for_vectors(const View& value, const ScoreDrawing& drawing, std::int64_t n,
                            std::int64_t y, Interval x, const Body& body) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Pixels()));
  for (std::int64_t begin = x.begin; begin < x.end; begin += kStretch) {
    const Interval stretch{begin, std::min(begin + kStretch, x.end)};
    Lines lines(value, drawing, n, y, stretch);
    for (std::int64_t at = stretch.begin; at < stretch.end; at += lanes) {
      lines.set_pixels(at, stretch.end);
      body(lines, at - x.begin, std::min(lanes, stretch.end - at));
    }
  }
}

void DrawLabels(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y,
                Interval x, std::uint16_t* labels) {
  for_vectors(value, drawing, n, y, x,
              [labels](const Lines& lines, std::int64_t at, std::int64_t count) HWY_ATTR {
                const Pixels d;
                const hn::RebindToSigned<Pixels> di;
                auto best = lines.scores(0);
                auto label = hn::Zero(di);
                if (lines.classes() == 1) {
                  const auto is_one = hn::RebindMask(di, hn::Ge(best, hn::Zero(d)));
                  label = hn::IfThenElseZero(is_one, hn::Set(di, 1));
                }
                for (std::int64_t k = 1; k < lines.classes(); ++k) {
                  const auto score = lines.scores(k);
                  const auto better = hn::Gt(score, best);
                  best = hn::IfThenElse(better, score, best);
                  label = hn::IfThenElse(hn::RebindMask(di, better),
                                         hn::Set(di, static_cast<std::int32_t>(k)), label);
                }
                HWY_ALIGN std::int32_t found[kMostPixels];
                hn::Store(label, di, found);
                for (std::int64_t i = 0; i < count; ++i) {
                  labels[at + i] = static_cast<std::uint16_t>(found[i]);
                }
              });
}

/// Stores the first `count` numbers of v.
HWY_INLINE void store_first(PixelVector v, std::int64_t count, float* to) {
  const Pixels d;
  if (count == static_cast<std::int64_t>(hn::Lanes(d))) return hn::StoreU(v, d, to);
  HWY_ALIGN float all[kMostPixels];
  hn::Store(v, d, all);
  std::copy_n(all, count, to);
}

void DrawSigmoid(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y,
                 Interval x, float* values, std::ptrdiff_t plane) {
  for_vectors(value, drawing, n, y, x,
              [values, plane](const Lines& lines, std::int64_t at, std::int64_t count) HWY_ATTR {
                const Pixels d;
                const auto one = hn::Set(d, 1.0f);
                const auto score = lines.scores(0);
                const auto e = exp_negative(d, hn::Neg(hn::Abs(score)));
                const auto larger = hn::Div(one, hn::Add(one, e));
                const auto positive = hn::Ge(score, hn::Zero(d));
                const auto p = hn::IfThenElse(positive, larger, hn::Mul(e, larger));
                store_first(hn::Sub(one, p), count, values + at);
                store_first(p, count, values + plane + at);
              });
}

void DrawSoftmax(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y,
                 Interval x, float* values, std::ptrdiff_t plane) {
  std::vector<float> memory(static_cast<std::size_t>(value.shape.c() * kMostPixels));
  for_vectors(value, drawing, n, y, x,
              [values, plane, scores = memory.data()](const Lines& lines, std::int64_t at,
                                                      std::int64_t count) HWY_ATTR {
                const Pixels d;
                const std::int64_t classes = lines.classes();
                auto largest = lines.scores(0);
                for (std::int64_t k = 0; k < classes; ++k) {
                  const auto score = lines.scores(k);
                  largest = hn::Max(largest, score);
                  hn::StoreU(score, d, scores + k * kMostPixels);
                }
                auto sum = hn::Zero(d);
                for (std::int64_t k = 0; k < classes; ++k) {
                  float* score = scores + k * kMostPixels;
                  const auto e = exp_negative(d, hn::Sub(hn::LoadU(d, score), largest));
                  sum = hn::Add(sum, e);
                  hn::StoreU(e, d, score);
                }
                const auto inverse = hn::Div(hn::Set(d, 1.0f), sum);
                for (std::int64_t k = 0; k < classes; ++k) {
                  const auto e = hn::LoadU(d, scores + k * kMostPixels);
                  store_first(hn::Mul(e, inverse), count, values + k * plane + at);
                }
              });
}

}  // namespace
}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(DrawLabels);
HWY_EXPORT(DrawSigmoid);
HWY_EXPORT(DrawSoftmax);

void draw_labels(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y,
                 Interval x, std::uint16_t* labels) {
  HWY_DYNAMIC_DISPATCH(DrawLabels)(value, drawing, n, y, x, labels);
}

void draw_probabilities(const View& value, const ScoreDrawing& drawing, std::int64_t n,
                        std::int64_t y, Interval x, float* values, std::ptrdiff_t plane) {
  if (value.shape.c() == 1) {
    return HWY_DYNAMIC_DISPATCH(DrawSigmoid)(value, drawing, n, y, x, values, plane);
  }
  HWY_DYNAMIC_DISPATCH(DrawSoftmax)(value, drawing, n, y, x, values, plane);
}

}  // namespace segmentum::cpu
#endif
