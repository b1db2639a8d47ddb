// Random words come from a counter (Philox) keyed by the seed, the node, the step and a value's
// place in plain NCHW order, a vector of counters at a time. Nothing is kept: the backward pass
// draws the same mask again, and no layout or thread count changes it.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/dropout.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/threads.h"
#include "engine/dropout.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Wide = hn::ScalableTag<std::uint64_t>;
using WideVec = hn::Vec<Wide>;

/// The low halves of both, multiplied to 64 bits.
HWY_INLINE WideVec multiply_low(WideVec a, WideVec b) {
#if HWY_TARGET == HWY_SCALAR  // one lane has no halves
  const WideVec low = hn::Set(Wide(), std::uint64_t{0xFFFFFFFF});
  return hn::Mul(hn::And(a, low), hn::And(b, low));
#else
  const hn::Repartition<std::uint32_t, Wide> halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::BitCast(halves, b));
#endif
}

/// `philox` of a block in each lane, whose words stand in the low halves; the high ones hold what
/// products left there and nobody reads.
struct PhiloxWords {
  WideVec word[4];

  HWY_INLINE void round(std::uint32_t key0, std::uint32_t key1) {
    const Wide d;
    const WideVec a = multiply_low(word[0], hn::Set(d, std::uint64_t{kPhiloxFactors[0]}));
    const WideVec b = multiply_low(word[2], hn::Set(d, std::uint64_t{kPhiloxFactors[1]}));
    word[0] = hn::Xor(hn::Xor(hn::ShiftRight<32>(b), word[1]), hn::Set(d, std::uint64_t{key0}));
    word[1] = b;
    word[2] = hn::Xor(hn::Xor(hn::ShiftRight<32>(a), word[3]), hn::Set(d, std::uint64_t{key1}));
    word[3] = a;
  }

  /// Words 0, 1, 2, 3 of each lane's block, one block after the other.
  HWY_INLINE void store(std::uint64_t* out) const {
    const Wide d;
    const WideVec low = hn::Set(d, std::uint64_t{0xFFFFFFFF});
    const WideVec first = hn::Or(hn::And(word[0], low), hn::ShiftLeft<32>(word[1]));
    const WideVec second = hn::Or(hn::And(word[2], low), hn::ShiftLeft<32>(word[3]));
    hn::StoreInterleaved2(first, second, d, out);
  }
};

/// pairs[2 * j], pairs[2 * j + 1] = the words 0, 1 and 2, 3 (the first in the low half) of block
/// `first` + j for j < count, rounded up to whole vectors.
void random_words(const DropoutMask& mask, std::uint64_t first, std::int64_t count,
                  std::uint64_t* pairs) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t j = 0; j < count; j += lanes) {
    const WideVec block =
        hn::Add(hn::Iota(d, 0), hn::Set(d, first + static_cast<std::uint64_t>(j)));
    PhiloxWords words{{block, hn::ShiftRight<32>(block), hn::Set(d, std::uint64_t{mask.node()}),
                       hn::Set(d, std::uint64_t{mask.step()})}};
    std::array<std::uint32_t, 2> key = mask.key();
    for (int round = 0; round < kPhiloxRounds; ++round) {
      words.round(key[0], key[1]);
      key[0] += kPhiloxKeySteps[0];
      key[1] += kPhiloxKeySteps[1];
    }
    words.store(pairs + 2 * j);
  }
}

/// Masks are keyed by the plain NCHW index, so they do not depend on the block.
void Dropout(const View& x, const DropoutMask& mask, const View& y, bool add) {
  const std::int64_t height = x.shape.h(), w = x.shape.w(), most = w / 4 + 2;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Wide()));
  parallel_for(x.shape.n() * x.blocks() * height, [&](std::int64_t i) {
    const std::int64_t row = i % height, cb = i / height % x.blocks();
    const std::int64_t n = i / height / x.blocks();
    std::vector<std::uint64_t> pairs(static_cast<std::size_t>(2 * (most + lanes)));
    const std::int64_t end = std::min<std::int64_t>(x.shape.c(), (cb + 1) * x.block);
    for (std::int64_t c = cb * x.block; c < end; ++c) {
      const std::int64_t first = ((n * x.shape.c() + c) * height + row) * w;
      const std::int64_t skipped = first % 4;
      random_words(mask, static_cast<std::uint64_t>(first / 4), (skipped + w + 3) / 4,
                   pairs.data());
      const float* in = x.at(n, cb, row) + c % x.block;
      float* out = y.at(n, cb, row) + c % x.block;
      for (std::int64_t k = 0; k < w; ++k) {
        const std::int64_t index = skipped + k;
        const auto word = static_cast<std::uint32_t>(pairs[static_cast<std::size_t>(index / 2)] >>
                                                     index % 2 * 32);
        const float value = mask.keeps(word) ? in[k * x.block] * mask.scale() : 0.0f;
        out[k * x.block] = add ? out[k * x.block] + value : value;
      }
    }
  });
  if (!add) clear_padded_channels(y);
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Dropout);

void dropout(const View& x, const DropoutMask& mask, const View& y, bool add) {
  HWY_DYNAMIC_DISPATCH(Dropout)(x, mask, y, add);
}

}  // namespace segmentum::cpu
#endif
