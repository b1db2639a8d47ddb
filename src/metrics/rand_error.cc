#include "metrics/rand_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int32_t kNoSegment = -1;

using Segments = std::vector<std::int32_t>;  // for each pixel: a pixel of its segment, the root

std::int32_t root_of(Segments& parent, std::int32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

void join(Segments& parent, std::int32_t a, std::int32_t b) {
  a = root_of(parent, a);
  b = root_of(parent, b);
  parent[std::max(a, b)] = std::min(a, b);
}

// The 4-connected components of `interior` in `labels`, ignored pixels of `truth` taken out.
Segments components(const LabelMap& labels, const LabelMap& truth, std::uint16_t interior) {
  const int height = labels.height(), width = labels.width();
  Segments parent(labels.labels().size(), kNoSegment);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (labels(y, x) != interior || truth(y, x) == kIgnoreLabel) continue;
      const std::int32_t i = y * width + x;
      parent[i] = i;
      if (x > 0 && parent[i - 1] != kNoSegment) join(parent, i - 1, i);
      if (y > 0 && parent[i - width] != kNoSegment) join(parent, i - width, i);
    }
  }
  for (std::size_t i = 0; i < parent.size(); ++i) {
    if (parent[i] != kNoSegment) parent[i] = root_of(parent, static_cast<std::int32_t>(i));
  }
  return parent;
}

// The sum of the squared sizes of groups of equal keys.
template <typename Key>
double sum_of_squares(std::vector<Key> keys) {
  std::ranges::sort(keys);
  double sum = 0;
  for (auto first = keys.begin(); first != keys.end();) {
    const auto last = std::upper_bound(first, keys.end(), *first);
    const auto size = static_cast<double>(last - first);
    sum += size * size;
    first = last;
  }
  return sum;
}

}  // namespace

std::optional<RandScores> rand_scores(const LabelMap& prediction, const LabelMap& truth,
                                      std::uint16_t interior) {
  if (prediction.height() != truth.height() || prediction.width() != truth.width()) {
    throw Error(fmt::format("the prediction is {}x{} but the labels are {}x{}", prediction.width(),
                            prediction.height(), truth.width(), truth.height()));
  }
  const Segments predicted = components(prediction, truth, interior);
  const Segments actual = components(truth, truth, interior);
  std::vector<std::int32_t> s, t;
  std::vector<std::pair<std::int32_t, std::int32_t>> overlap;
  const auto pixels = static_cast<std::int32_t>(actual.size());
  for (std::int32_t i = 0; i < pixels; ++i) {
    if (actual[i] == kNoSegment) continue;
    // A pixel in no segment is one of its own: -2 - i is nobody else's root.
    s.push_back(predicted[i] != kNoSegment ? predicted[i] : -2 - i);
    t.push_back(actual[i]);
    overlap.emplace_back(s.back(), t.back());
  }
  if (t.empty()) return std::nullopt;
  const double joint = sum_of_squares(std::move(overlap));
  const double merged = sum_of_squares(std::move(s));
  const double split = sum_of_squares(std::move(t));
  const double f_score = 2 * joint / (merged + split);
  return RandScores{joint / merged, joint / split, f_score, 1 - f_score};
}

}  // namespace segmentum
