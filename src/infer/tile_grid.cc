#include "infer/tile_grid.h"

#include <algorithm>

namespace segmentum {
namespace {

constexpr double kMargin = 1.1;  // how far the estimate below may be off
constexpr double kModeratePixels = 0x1p22;

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

}  // namespace

PixelRect TileGrid::part(int down, int across) const {
  const int y = down * rows, x = across * columns;
  return {y, x, std::min(rows, height - y), std::min(columns, width - x)};
}

std::vector<int> equal_sides(int size, int multiple) {
  std::vector<int> sides;
  for (int parts = 1; sides.empty() || sides.back() > multiple; ++parts) {
    const int side = round_up((size + parts - 1) / parts, multiple);
    if (sides.empty() || side < sides.back()) sides.push_back(side);
  }
  return sides;
}

double pixels_read(const TileGrid& grid, int around_px) {
  const double around = around_px;
  return (grid.height + around * grid.count_down()) * (grid.width + around * grid.count_across());
}

TileGrid choose_grid(const TileDemand& demand) {
  std::vector<TileGrid> grids;
  for (int rows : equal_sides(demand.height, demand.multiple)) {
    for (int columns : equal_sides(demand.width, demand.multiple)) {
      grids.push_back({demand.height, demand.width, rows, columns});
    }
  }
  const double around = demand.around_px;
  const auto pixels_seen = [&](const TileGrid& grid) {
    return (std::min(grid.rows, grid.height) + around) *
           (std::min(grid.columns, grid.width) + around);
  };
  const TileGrid smallest = grids.back();
  std::ranges::stable_sort(
      grids, {}, [&](const TileGrid& grid) { return pixels_read(grid, demand.around_px); });
  const auto memory = static_cast<double>(demand.memory_bytes);
  const auto bytes_of = [&](const TileGrid& grid) {
    return static_cast<double>(demand.bytes_of(grid.middle()));
  };
  // Memory goes about with the pixels that are read, as those of a part of moderate size tell.
  const auto moderate = std::ranges::find_if(
      grids, [&](const TileGrid& grid) { return pixels_seen(grid) <= kModeratePixels; });
  double bytes_per_pixel = 0;
  if (moderate != grids.end() && moderate != grids.begin()) {
    bytes_per_pixel = bytes_of(*moderate) / pixels_seen(*moderate);
  }
  for (const TileGrid& grid : grids) {
    if (bytes_per_pixel * pixels_seen(grid) > kMargin * memory) continue;
    if (bytes_of(grid) <= memory) return grid;
  }
  return smallest;
}

}  // namespace segmentum
