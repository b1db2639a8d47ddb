#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/threads.h"
#include "image/distance_transform.h"
#include "losses/region_losses.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

/// Squared distances to the nearest labelled pixel for which `is_in` holds; empty if none does.
template <typename In>
std::vector<double> squared_distances(const ClassProbabilities& probabilities, std::int64_t n,
                                      const In& is_in) {
  const std::uint16_t* label = probabilities.labels(n);
  std::vector<double> grid(static_cast<std::size_t>(probabilities.plane()), kFar);
  bool any = false;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (label[i] == kIgnoreLabel || !is_in(label[i])) continue;
    grid[i] = 0;
    any = true;
  }
  if (!any) return {};
  squared_distance_transform(grid, probabilities.height(), probabilities.width());
  return grid;
}

/// The sum of p times distance over one plane; adds `share` times the distances to `slopes`.
double plane_loss(const ClassProbabilities& probabilities, std::int64_t n, int k, float* slopes,
                  double share) {
  const auto to_class =
      squared_distances(probabilities, n, [&](std::uint16_t label) { return label == k; });
  if (to_class.empty()) return 0;
  const auto to_others =
      squared_distances(probabilities, n, [&](std::uint16_t label) { return label != k; });
  if (to_others.empty()) return 0;
  const float* p = probabilities.of(n, k);
  const std::uint16_t* label = probabilities.labels(n);
  double sum = 0;
  for (std::size_t i = 0; i < to_class.size(); ++i) {
    if (label[i] == kIgnoreLabel) continue;
    const double distance = label[i] == k ? 1 - std::sqrt(to_others[i]) : std::sqrt(to_class[i]);
    sum += distance * p[i];
    if (slopes) slopes[i] += static_cast<float>(share * distance);
  }
  return sum;
}

}  // namespace

double boundary_loss(const ClassProbabilities& probabilities, TensorView slopes, double weight) {
  const int classes = probabilities.classes();
  const auto labels = probabilities.labels();
  const auto labelled = static_cast<double>(static_cast<std::ptrdiff_t>(labels.size()) -
                                            std::ranges::count(labels, kIgnoreLabel));
  if (labelled == 0) return 0;
  const double each = 1 / (labelled * classes);
  std::vector<double> sums(static_cast<std::size_t>(probabilities.images() * classes));
  parallel_for(static_cast<std::int64_t>(sums.size()), [&](std::int64_t i) {
    float* to = slopes.data ? slopes.data + i * probabilities.plane() : nullptr;
    sums[static_cast<std::size_t>(i)] =
        plane_loss(probabilities, i / classes, static_cast<int>(i % classes), to, weight * each);
  });
  double sum = 0;
  for (const double of_plane : sums) sum += of_plane;
  return sum * each;
}

}  // namespace segmentum
