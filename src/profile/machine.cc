#include "profile/machine.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "profile/machine.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace segmentum::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<float>;

const char* vector_name() {
  return hwy::TargetName(HWY_TARGET);
}

constexpr int kChains = 12;  // enough to hide the latency on any current core

std::int64_t round_flops() {
  return 2 * kChains * static_cast<std::int64_t>(hn::Lanes(Wide()));
}

/// Independent chains of multiply-adds; the sum keeps the compiler from dropping any.
float chains_of_multiply_adds(std::int64_t rounds) {
  const Wide d;
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  auto x0 = hn::Iota(d, 0), x1 = hn::Iota(d, 1), x2 = hn::Iota(d, 2), x3 = hn::Iota(d, 3);
  auto x4 = hn::Iota(d, 4), x5 = hn::Iota(d, 5), x6 = hn::Iota(d, 6), x7 = hn::Iota(d, 7);
  auto x8 = hn::Iota(d, 8), x9 = hn::Iota(d, 9), x10 = hn::Iota(d, 10), x11 = hn::Iota(d, 11);
  for (std::int64_t i = 0; i < rounds; ++i) {
    x0 = hn::MulAdd(x0, a, b), x1 = hn::MulAdd(x1, a, b), x2 = hn::MulAdd(x2, a, b);
    x3 = hn::MulAdd(x3, a, b), x4 = hn::MulAdd(x4, a, b), x5 = hn::MulAdd(x5, a, b);
    x6 = hn::MulAdd(x6, a, b), x7 = hn::MulAdd(x7, a, b), x8 = hn::MulAdd(x8, a, b);
    x9 = hn::MulAdd(x9, a, b), x10 = hn::MulAdd(x10, a, b), x11 = hn::MulAdd(x11, a, b);
  }
  const auto low = hn::Add(hn::Add(hn::Add(x0, x1), hn::Add(x2, x3)), hn::Add(x4, x5));
  const auto high = hn::Add(hn::Add(hn::Add(x6, x7), hn::Add(x8, x9)), hn::Add(x10, x11));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
}

/// to[i] = a[i], for whole vectors.
void copy_floats(const float* a, float* to, std::int64_t count) {
  const Wide d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < count; i += lanes) hn::Store(hn::Load(d, a + i), d, to + i);
}

/// to[i] = a[i] + 3 * b[i], for whole vectors.
void triad_floats(const float* a, const float* b, float* to, std::int64_t count) {
  const Wide d;
  const auto three = hn::Set(d, 3.0f);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < count; i += lanes) {
    hn::Store(hn::MulAdd(three, hn::Load(d, b + i), hn::Load(d, a + i)), d, to + i);
  }
}

}  // namespace segmentum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/threads.h"
#include "tensor/tensor.h"

namespace segmentum {
namespace {

HWY_EXPORT(vector_name);
HWY_EXPORT(round_flops);
HWY_EXPORT(chains_of_multiply_adds);
HWY_EXPORT(copy_floats);
HWY_EXPORT(triad_floats);

/// Seconds of the fastest of several runs: what the machine can do, whoever else is on it.
template <typename Work>
double fastest(int runs, const Work& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point begin = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

double multiply_add_gflops() {
  constexpr std::int64_t kRounds = 200'000;
  std::vector<float> results(static_cast<std::size_t>(threads()));
  const double seconds = fastest(300, [&] {
    parallel_for(threads(), [&](std::int64_t thread) {
      results[static_cast<std::size_t>(thread)] =
          HWY_DYNAMIC_DISPATCH(chains_of_multiply_adds)(kRounds);
    });
  });
  return 1e-9 * threads() * kRounds * HWY_DYNAMIC_DISPATCH(round_flops)() / seconds;
}

/// Calls body(first float of a chunk) over arrays far larger than any cache.
constexpr std::int64_t kFloats = std::int64_t{1} << 25, kChunk = std::int64_t{1} << 16;
template <typename Body>
double gbytes_per_second(int arrays, const Body& body) {
  const double seconds = fastest(
      10, [&] { parallel_for(kFloats / kChunk, [&](std::int64_t i) { body(i * kChunk); }); });
  return 1e-9 * arrays * kFloats * sizeof(float) / seconds;
}

}  // namespace

MachineBest measure_machine() {
  const Tensor a({kFloats}), b({kFloats});
  Tensor to({kFloats});
  const double copy = gbytes_per_second(2, [&](std::int64_t i) {
    HWY_DYNAMIC_DISPATCH(copy_floats)(a.data() + i, to.data() + i, kChunk);
  });
  const double triad = gbytes_per_second(3, [&](std::int64_t i) {
    HWY_DYNAMIC_DISPATCH(triad_floats)(a.data() + i, b.data() + i, to.data() + i, kChunk);
  });
  return {HWY_DYNAMIC_DISPATCH(vector_name)(), multiply_add_gflops(), copy, triad};
}

}  // namespace segmentum
#endif
