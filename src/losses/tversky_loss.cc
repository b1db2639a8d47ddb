#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "losses/region_losses.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

struct Sums {
  double both = 0;
  double predicted = 0;
  double truth = 0;
};

Sums plane_sums(const ClassProbabilities& probabilities, std::int64_t n, int k) {
  const float* p = probabilities.of(n, k);
  const std::uint16_t* label = probabilities.labels(n);
  Sums sums;
  for (std::int64_t i = 0; i < probabilities.plane(); ++i) {
    sums.predicted += p[i];  // 0 where ignored
    if (label[i] != k) continue;
    sums.both += p[i];
    sums.truth += 1;
  }
  return sums;
}

/// Of each class, over the batch, in one order whoever computed them.
std::vector<Sums> class_sums(const ClassProbabilities& probabilities) {
  const int classes = probabilities.classes();
  std::vector<Sums> planes(static_cast<std::size_t>(probabilities.images() * classes));
  parallel_for(static_cast<std::int64_t>(planes.size()), [&](std::int64_t i) {
    planes[static_cast<std::size_t>(i)] =
        plane_sums(probabilities, i / classes, static_cast<int>(i % classes));
  });
  std::vector<Sums> sums(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < planes.size(); ++i) {
    Sums& sum = sums[i % sums.size()];
    sum.both += planes[i].both;
    sum.predicted += planes[i].predicted;
    sum.truth += planes[i].truth;
  }
  return sums;
}

}  // namespace

double tversky_loss(const ClassProbabilities& probabilities, double alpha, double beta,
                    TensorView slopes, double weight) {
  if (!(alpha >= 0 && beta > 0)) {
    throw Error(fmt::format(
        "a Tversky loss with alpha {} and beta {}; expected alpha >= 0 and beta > 0", alpha, beta));
  }
  const std::vector<Sums> sums = class_sums(probabilities);
  int present = 0;
  for (const Sums& sum : sums) present += sum.truth > 0;
  if (present == 0) return 0;
  double loss = 0;
  for (int k = 0; k < probabilities.classes(); ++k) {
    const Sums& sum = sums[static_cast<std::size_t>(k)];
    if (sum.truth == 0) continue;
    const double of_both = 1 - alpha - beta;
    const double whole = of_both * sum.both + alpha * sum.predicted + beta * sum.truth;
    loss += (1 - sum.both / whole) / present;
    if (!slopes.data) continue;
    // d(-I/D)/dp with dI/dp = [y = k] and dP/dp = 1.
    const double share = weight / present / (whole * whole);
    const auto outside = static_cast<float>(share * sum.both * alpha);
    const auto inside = static_cast<float>(share * (sum.both * (of_both + alpha) - whole));
    parallel_for(probabilities.images(), [&](std::int64_t n) {
      const std::uint16_t* label = probabilities.labels(n);
      float* to = slopes.data + (n * probabilities.classes() + k) * probabilities.plane();
      for (std::int64_t i = 0; i < probabilities.plane(); ++i) {
        if (label[i] != kIgnoreLabel) to[i] += label[i] == k ? inside : outside;
      }
    });
  }
  return loss;
}

}  // namespace segmentum
