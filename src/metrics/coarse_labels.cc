#include "metrics/coarse_labels.h"

#include <algorithm>
#include <map>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The pixels [y0, y1) x [x0, x1) of a label map, and the centre of the whole cell, which may lie
/// beyond the map's edge.
struct Cell {
  int y0, y1, x0, x1;
  int centre_y, centre_x;
};

std::uint16_t nearest_label(const LabelMap& labels, const Cell& cell) {
  const int y = std::min(cell.centre_y, cell.y1 - 1), x = std::min(cell.centre_x, cell.x1 - 1);
  std::uint16_t label = labels(y, x);
  if (label != kIgnoreLabel) return label;
  std::int64_t least = INT64_MAX;
  for (int i = cell.y0; i < cell.y1; ++i) {
    for (int j = cell.x0; j < cell.x1; ++j) {
      if (labels(i, j) == kIgnoreLabel) continue;
      const std::int64_t dy = i - cell.centre_y, dx = j - cell.centre_x;
      if (dy * dy + dx * dx >= least) continue;
      least = dy * dy + dx * dx;
      label = labels(i, j);
    }
  }
  return label;
}

std::uint16_t majority_label(const LabelMap& labels, const Cell& cell) {
  std::map<std::uint16_t, int> counts;
  for (int i = cell.y0; i < cell.y1; ++i) {
    for (int j = cell.x0; j < cell.x1; ++j) {
      if (labels(i, j) != kIgnoreLabel) ++counts[labels(i, j)];
    }
  }
  if (counts.empty()) return kIgnoreLabel;
  return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })
      ->first;
}

void fill(LabelMap& labels, const Cell& cell, std::uint16_t label) {
  for (int i = cell.y0; i < cell.y1; ++i) {
    std::fill(labels.row(i) + cell.x0, labels.row(i) + cell.x1, label);
  }
}

}  // namespace

std::optional<CoarseRule> coarse_rule(const std::string& name) {
  if (name == "nearest") return CoarseRule::nearest;
  if (name == "majority") return CoarseRule::majority;
  return std::nullopt;
}

LabelMap coarsened(const LabelMap& labels, int factor, CoarseRule rule) {
  if (factor < 1) {
    throw Error("labels cannot be coarsened by a factor of " + std::to_string(factor) +
                "; expected 1 or more");
  }
  LabelMap coarse(labels.height(), labels.width());
  for (std::int64_t y = 0; y < labels.height(); y += factor) {
    for (std::int64_t x = 0; x < labels.width(); x += factor) {
      const auto clipped = [](std::int64_t at, int size) {
        return static_cast<int>(std::min<std::int64_t>(at, size));
      };
      const Cell cell{.y0 = static_cast<int>(y),
                      .y1 = clipped(y + factor, labels.height()),
                      .x0 = static_cast<int>(x),
                      .x1 = clipped(x + factor, labels.width()),
                      .centre_y = clipped(y + factor / 2, INT32_MAX),
                      .centre_x = clipped(x + factor / 2, INT32_MAX)};
      fill(
          coarse, cell,
          rule == CoarseRule::nearest ? nearest_label(labels, cell) : majority_label(labels, cell));
    }
  }
  return coarse;
}

}  // namespace segmentum
