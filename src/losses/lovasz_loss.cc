#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "losses/region_losses.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

/// The labelled pixels of a class by falling error, of equals the first; the number of a pixel in
/// the batch is in the lower half.
std::vector<std::uint64_t> by_falling_error(const ClassProbabilities& probabilities, int k) {
  const std::int64_t plane = probabilities.plane();
  std::vector<std::uint64_t> keys;
  for (std::int64_t n = 0; n < probabilities.images(); ++n) {
    const float* p = probabilities.of(n, k);
    const std::uint16_t* label = probabilities.labels(n);
    for (std::int64_t i = 0; i < plane; ++i) {
      if (label[i] == kIgnoreLabel) continue;
      const float error = label[i] == k ? 1 - p[i] : p[i];
      // The bits of numbers that are not negative rise with them.
      const std::uint64_t falling = ~std::bit_cast<std::uint32_t>(error) & 0xFFFFFFFFU;
      keys.push_back(falling << 32 | static_cast<std::uint64_t>(n * plane + i));
    }
  }
  std::ranges::sort(keys);
  return keys;
}

float error_of(std::uint64_t key) {
  return std::bit_cast<float>(~static_cast<std::uint32_t>(key >> 32));
}

double class_loss(const ClassProbabilities& probabilities, int k, double truth, TensorView slopes,
                  double share) {
  const std::int64_t plane = probabilities.plane();
  double loss = 0, before = 0, seen_true = 0, seen_other = 0;
  for (const std::uint64_t key : by_falling_error(probabilities, k)) {
    const auto pixel = static_cast<std::int64_t>(key & 0xFFFFFFFFU);
    const bool is_true = probabilities.labels()[static_cast<std::size_t>(pixel)] == k;
    (is_true ? seen_true : seen_other) += 1;
    const double lost = 1 - (truth - seen_true) / (truth + seen_other);  // of the IoU
    const double rise = lost - before;
    before = lost;
    loss += static_cast<double>(error_of(key)) * rise;
    if (!slopes.data) continue;
    const std::int64_t at = (pixel / plane * probabilities.classes() + k) * plane + pixel % plane;
    slopes.data[at] += static_cast<float>(is_true ? -share * rise : share * rise);
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
