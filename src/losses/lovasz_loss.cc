#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/threads.h"
#include "losses/region_losses.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

constexpr int kDigitBits = 11, kDigits = 3;
constexpr std::uint64_t kDigitMask = (1U << kDigitBits) - 1;

int digit(std::uint64_t key, int place) {
  return static_cast<int>(key >> (32 + place * kDigitBits) & kDigitMask);
}

/// By their upper halves, of equals in the order they came in: digit by digit from the last, in
/// time that grows with their number alone. A comparing sort took longer than the network around.
void sort_stably(std::vector<std::uint64_t>& keys) {
  std::array<std::array<std::uint32_t, kDigitMask + 1>, kDigits> places{};
  for (const std::uint64_t key : keys) {
    for (int d = 0; d < kDigits; ++d) ++places[d][digit(key, d)];
  }
  std::vector<std::uint64_t> sorted(keys.size());
  for (int d = 0; d < kDigits; ++d) {
    std::uint32_t before = 0;
    for (std::uint32_t& place : places[d]) place = std::exchange(before, before + place);
    for (const std::uint64_t key : keys) sorted[places[d][digit(key, d)]++] = key;
    keys.swap(sorted);
  }
}

/// A labelled pixel of one class: how wrong it is, as bits that fall where the error rises, the
/// number of the pixel in the batch, and whether it is of that class.
struct Key {
  static std::uint64_t of(float error, std::int64_t pixel, bool is_true) {
    // The bits of numbers that are not negative rise with them.
    const std::uint64_t falling = ~std::bit_cast<std::uint32_t>(error) & 0xFFFFFFFFU;
    return falling << 32 | static_cast<std::uint64_t>(pixel) << 1 | (is_true ? 1U : 0U);
  }
  explicit Key(std::uint64_t key)
      : error(std::bit_cast<float>(~static_cast<std::uint32_t>(key >> 32))),
        pixel(static_cast<std::int64_t>((key & 0xFFFFFFFFU) >> 1)),
        is_true((key & 1) != 0) {}

  float error;
  std::int64_t pixel;
  bool is_true;
};

/// Of equal errors the earlier pixel first.
std::vector<std::uint64_t> by_falling_error(const ClassProbabilities& probabilities, int k) {
  const std::int64_t plane = probabilities.plane();
  std::vector<std::uint64_t> keys;
  keys.reserve(probabilities.labels().size());
  for (std::int64_t n = 0; n < probabilities.images(); ++n) {
    const float* p = probabilities.of(n, k);
    const std::uint16_t* label = probabilities.labels(n);
    for (std::int64_t i = 0; i < plane; ++i) {
      if (label[i] == kIgnoreLabel) continue;
      const bool is_true = label[i] == k;
      keys.push_back(Key::of(is_true ? 1 - p[i] : p[i], n * plane + i, is_true));
    }
  }
  sort_stably(keys);
  return keys;
}

double class_loss(const ClassProbabilities& probabilities, int k, double truth, TensorView slopes,
                  double share) {
  const std::int64_t plane = probabilities.plane();
  double loss = 0, before = 0, seen_true = 0, seen_other = 0;
  for (const std::uint64_t sorted : by_falling_error(probabilities, k)) {
    const Key key(sorted);
    (key.is_true ? seen_true : seen_other) += 1;
    const double lost = 1 - (truth - seen_true) / (truth + seen_other);  // of the IoU
    const double rise = lost - before;
    before = lost;
    loss += static_cast<double>(key.error) * rise;
    if (!slopes.data) continue;
    const std::int64_t picture = key.pixel / plane;
    const std::int64_t at = (picture * (probabilities.classes() - 1) + k) * plane + key.pixel;
    slopes.data[at] += static_cast<float>(key.is_true ? -share * rise : share * rise);
  }
  return loss;
}

}  // namespace

double lovasz_loss(const ClassProbabilities& probabilities, TensorView slopes, double weight) {
  const auto classes = static_cast<std::size_t>(probabilities.classes());
  std::vector<double> truth(classes), losses(classes);
  for (const std::uint16_t label : probabilities.labels()) {
    if (label != kIgnoreLabel) truth[label] += 1;
  }
  const auto present =
      static_cast<double>(std::ranges::count_if(truth, [](double pixels) { return pixels > 0; }));
  if (present == 0) return 0;
  parallel_for(static_cast<std::int64_t>(classes), [&](std::int64_t k) {
    const auto at = static_cast<std::size_t>(k);
    if (truth[at] == 0) return;
    losses[at] =
        class_loss(probabilities, static_cast<int>(k), truth[at], slopes, weight / present);
  });
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum / present;
}

}  // namespace segmentum
