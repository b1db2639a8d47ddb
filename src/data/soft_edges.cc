#include "data/soft_edges.h"

#include <algorithm>
#include <span>
#include <vector>

#include "data/label_values.h"

namespace segmentum {
namespace {

constexpr int kPlateau = 3, kWidestEdge = 8;

/// Equal colours of a line, one after the other.
struct Run {
  std::uint32_t colour = kNoMaskValue;
  int length = 0;
};

bool lies_within(int value, int a, int b) {
  constexpr int kRounding = 2;
  return value >= std::min(a, b) - kRounding && value <= std::max(a, b) + kRounding;
}

/// Whether each part of a colour lies between those of two others.
bool lies_between(std::uint32_t colour, std::uint32_t from, std::uint32_t to) {
  const Rgb c = unpacked(colour), a = unpacked(from), b = unpacked(to);
  return from != to && lies_within(c.r, a.r, b.r) && lies_within(c.g, a.g, b.g) &&
         lies_within(c.b, a.b, b.b);
}

std::vector<Run> runs_of(std::span<const std::uint32_t> line) {
  std::vector<Run> runs;
  for (const std::uint32_t colour : line) {
    if (runs.empty() || runs.back().colour != colour) runs.push_back({colour, 0});
    ++runs.back().length;
  }
  return runs;
}

/// Counts the short runs between two long ones. Several are steps of an edge, whatever their
/// colours (where three things meet, edges are mixtures of all); a single one may be a thin thing.
void count_edge(std::span<const Run> between, const Run& from, const Run& to,
                std::map<std::uint32_t, std::int64_t>& blended) {
  int length = 0;
  for (const Run& run : between) length += run.length;
  if (length > kWidestEdge) return;
  const bool steps = between.size() > 1;
  for (const Run& run : between) {
    if (run.colour == kNoMaskValue) continue;
    if (steps || lies_between(run.colour, from.colour, to.colour)) {
      blended[run.colour] += run.length;
    }
  }
}

void count_line(std::span<const std::uint32_t> line,
                std::map<std::uint32_t, std::int64_t>& blended) {
  const std::vector<Run> runs = runs_of(line);
  std::size_t last = runs.size();  // the last long run
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].length < kPlateau) continue;
    if (last < i) {
      count_edge(std::span(runs).subspan(last + 1, i - last - 1), runs[last], runs[i], blended);
    }
    last = i;
  }
}

}  // namespace

std::map<std::uint32_t, std::int64_t> blended_pixels(const RawMask& mask) {
  constexpr std::size_t kColumnsAtOnce = 16;  // what a cache line holds
  const auto height = static_cast<std::size_t>(mask.values.height());
  const auto width = static_cast<std::size_t>(mask.values.width());
  std::map<std::uint32_t, std::int64_t> blended;
  std::vector<std::uint32_t> colours, row;
  colours.reserve(height * width);
  for (int y = 0; y < mask.values.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::colour, y, row);
    count_line(row, blended);
    colours.insert(colours.end(), row.begin(), row.end());
  }
  std::vector<std::vector<std::uint32_t>> columns(std::min(kColumnsAtOnce, width));
  for (std::size_t x = 0; x < width; x += kColumnsAtOnce) {
    const std::size_t count = std::min(kColumnsAtOnce, width - x);
    for (auto& column : columns) column.clear();
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t i = 0; i < count; ++i) columns[i].push_back(colours[y * width + x + i]);
    }
    for (std::size_t i = 0; i < count; ++i) count_line(columns[i], blended);
  }
  return blended;
}

}  // namespace segmentum
