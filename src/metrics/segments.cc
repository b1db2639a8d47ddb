#include "metrics/segments.h"

#include <fmt/format.h>

#include <algorithm>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Parents = std::vector<std::int32_t>;  // towards a pixel that stands for the segment

std::int32_t root_of(Parents& parent, std::int32_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

void join(Parents& parent, std::int32_t a, std::int32_t b) {
  a = root_of(parent, a);
  b = root_of(parent, b);
  parent[std::max(a, b)] = std::min(a, b);
}

/// The sizes of the groups of equal keys.
std::vector<std::int64_t> group_sizes(std::vector<std::uint64_t> keys) {
  std::ranges::sort(keys);
  std::vector<std::int64_t> sizes;
  for (auto first = keys.begin(); first != keys.end();) {
    const auto last = std::find_if(first, keys.end(), [&](auto key) { return key != *first; });
    sizes.push_back(last - first);
    first = last;
  }
  return sizes;
}

}  // namespace

std::vector<std::int32_t> segments_of(const LabelMap& labels, const LabelMap& truth,
                                      std::uint16_t interior) {
  if (labels.height() != truth.height() || labels.width() != truth.width()) {
    throw Error(fmt::format("the prediction is {}x{} but the labels are {}x{}", labels.width(),
                            labels.height(), truth.width(), truth.height()));
  }
  const int height = labels.height(), width = labels.width();
  Parents parent(labels.labels().size(), kNoSegment);
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

SegmentOverlaps segment_overlaps(std::span<const std::int32_t> predicted,
                                 std::span<const std::int32_t> truth, Gap gap) {
  if (predicted.size() != truth.size()) {
    throw Error(fmt::format("segments of {} predicted and {} true pixels cannot be compared",
                            predicted.size(), truth.size()));
  }
  constexpr std::uint64_t kGaps = std::uint64_t{1} << 31;  // beyond all numbers of segments
  std::vector<std::uint64_t> s, t, both;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == kNoSegment) continue;
    const std::uint64_t in_gap = kGaps + (gap == Gap::own_segments ? i : 0);
    s.push_back(predicted[i] != kNoSegment ? static_cast<std::uint64_t>(predicted[i]) : in_gap);
    t.push_back(static_cast<std::uint64_t>(truth[i]));
    both.push_back(s.back() << 32 | t.back());
  }
  const auto pixels = static_cast<std::int64_t>(t.size());
  return {group_sizes(std::move(both)), group_sizes(std::move(s)), group_sizes(std::move(t)),
          pixels};
}

}  // namespace segmentum
