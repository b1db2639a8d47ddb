#include "losses/hard_pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "losses/softmax_kernel.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

constexpr float kHardest = std::numeric_limits<float>::infinity();

/// -log of the probability of the true class for each pixel; what is no number is the hardest.
std::vector<float> pixel_losses(ConstTensorView logits, std::span<const std::uint16_t> labels) {
  const Shape& shape = logits.shape;
  const std::int64_t plane = shape.h() * shape.w();
  const int classes = static_cast<int>(shape.c());
  std::vector<float> losses(labels.size(), 0.0f);
  for_each_block(shape, [&](std::int64_t n, std::int64_t first, int pixels) {
    const float* x = logits.data + n * classes * plane + first;
    std::array<float, kBlockPixels> maximum, sum;
    if (classes > 1) softmax_sums({x, plane, classes, pixels}, {}, maximum.data(), sum.data());
    for (int i = 0; i < pixels; ++i) {
      const auto at = static_cast<std::size_t>(n * plane + first + i);
      if (labels[at] == kIgnoreLabel) continue;
      float loss = 0;
      if (classes > 1) {
        loss = std::log(sum[i]) + (maximum[i] - x[labels[at] * plane + i]);
      } else {
        const float z = labels[at] == 1 ? x[i] : -x[i];
        loss = std::max(-z, 0.0f) + std::log1p(std::exp(-std::abs(z)));
      }
      losses[at] = std::isnan(loss) ? kHardest : loss;
    }
  });
  return losses;
}

}  // namespace

std::vector<std::uint16_t> hard_labels(ConstTensorView logits,
                                       std::span<const std::uint16_t> labels, double threshold,
                                       double least_share) {
  if (!(threshold >= 0 && threshold <= 1 && least_share >= 0 && least_share <= 1)) {
    throw Error(fmt::format(
        "hard pixels below a probability of {}, at least a part of {}; both lie between 0 and 1",
        threshold, least_share));
  }
  const std::vector<float> losses = pixel_losses(logits, labels);
  std::vector<float> known;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != kIgnoreLabel) known.push_back(losses[i]);
  }
  std::vector<std::uint16_t> hard(labels.begin(), labels.end());
  if (known.empty()) return hard;
  const auto wanted = static_cast<std::size_t>(
      std::clamp(std::ceil(least_share * static_cast<double>(known.size())), 1.0,
                 static_cast<double>(known.size())));
  const auto last = known.begin() + static_cast<std::ptrdiff_t>(wanted - 1);
  std::ranges::nth_element(known, last, std::ranges::greater());
  const float least = std::min(*last, static_cast<float>(-std::log(threshold)));
  for (std::size_t i = 0; i < hard.size(); ++i) {
    if (losses[i] < least) hard[i] = kIgnoreLabel;
  }
  return hard;
}

}  // namespace segmentum
