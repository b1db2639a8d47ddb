#include "metrics/mask_precision.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Whether each mask, best score first, is right.
std::vector<bool> judge(std::vector<ScoredMask> masks, double iou_threshold) {
  std::ranges::stable_sort(masks, std::ranges::greater{}, &ScoredMask::score);
  std::set<std::pair<int, std::uint16_t>> claimed;
  std::vector<bool> right;
  for (const ScoredMask& mask : masks) {
    const auto best = std::ranges::max_element(mask.overlaps, {}, &MaskOverlap::iou);
    right.push_back(best != mask.overlaps.end() && best->iou >= iou_threshold &&
                    claimed.emplace(mask.picture, best->id).second);
  }
  return right;
}

}  // namespace

std::vector<std::int64_t> instance_sizes(const LabelMap& ids) {
  std::vector<std::int64_t> sizes(std::size_t{kIgnoreLabel} + 1, 0);
  for (const std::uint16_t id : ids.labels()) ++sizes[id];
  sizes.front() = sizes.back() = 0;
  return sizes;
}

std::vector<MaskOverlap> mask_overlaps(const Mask& mask, const LabelMap& ids,
                                       std::span<const std::int64_t> sizes) {
  if (mask.top < 0 || mask.left < 0 || mask.top + mask.height > ids.height() ||
      mask.left + mask.width > ids.width()) {
    throw Error("a mask reaches beyond its picture");
  }
  std::int64_t area = 0;
  std::map<std::uint16_t, std::int64_t> common;
  for (int y = 0; y < mask.height; ++y) {
    const std::uint16_t* row = ids.row(mask.top + y) + mask.left;
    for (int x = 0; x < mask.width; ++x) {
      if (!mask(y, x) || row[x] == kIgnoreLabel) continue;
      ++area;
      if (row[x] > 0) ++common[row[x]];
    }
  }
  std::vector<MaskOverlap> overlaps;
  for (const auto& [id, pixels] : common) {
    const std::int64_t either = area + sizes[id] - pixels;
    overlaps.push_back({id, static_cast<double>(pixels) / static_cast<double>(either)});
  }
  return overlaps;
}

double mask_iou(const Mask& mask, const LabelMap& ids, std::span<const std::int64_t> sizes,
                std::uint16_t id) {
  for (const MaskOverlap& overlap : mask_overlaps(mask, ids, sizes)) {
    if (overlap.id == id) return overlap.iou;
  }
  return 0;
}

std::optional<double> average_precision(std::vector<ScoredMask> masks, std::int64_t instances,
                                        double iou_threshold) {
  if (instances == 0) return std::nullopt;
  const std::vector<bool> right = judge(std::move(masks), iou_threshold);
  std::vector<double> precisions;  // after each right mask, where recall rises
  std::int64_t found = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (!right[i]) continue;
    precisions.push_back(static_cast<double>(++found) / static_cast<double>(i + 1));
  }
  double area = 0, highest = 0;
  for (auto precision = precisions.rbegin(); precision != precisions.rend(); ++precision) {
    highest = std::max(highest, *precision);
    area += highest;
  }
  return area / static_cast<double>(instances);
}

}  // namespace segmentum
