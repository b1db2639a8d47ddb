#include "infer/tile_grid.h"

#include <algorithm>

namespace segmentum {
namespace {

constexpr double kMargin = 1.1;  // how far the estimate below may be off

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

/// The sides that cut `size` into 1, 2, 3, ... equal parts, each once, largest first.
std::vector<int> sides_of(int size, int multiple) {
  std::vector<int> sides;
  for (int parts = 1; sides.empty() || sides.back() > multiple; ++parts) {
    const int side = round_up((size + parts - 1) / parts, multiple);
    if (sides.empty() || side < sides.back()) sides.push_back(side);
  }
  return sides;
}

PixelRect middle_part(const TileGrid& grid) {
  return grid.part(grid.count_down() / 2, grid.count_across() / 2);
}

}  // namespace

PixelRect TileGrid::part(int down, int across) const {
  const int y = down * rows, x = across * columns;
  return {y, x, std::min(rows, height - y), std::min(columns, width - x)};
}

TileGrid choose_grid(const TileDemand& demand) {
  std::vector<TileGrid> grids;
  for (int rows : sides_of(demand.height, demand.multiple)) {
    for (int columns : sides_of(demand.width, demand.multiple)) {
      grids.push_back({demand.height, demand.width, rows, columns});
    }
  }
  const double around = demand.around_px;
  const auto pixels_read = [&](const TileGrid& grid) {
    return (grid.height + around * grid.count_down()) * (grid.width + around * grid.count_across());
  };
  const TileGrid smallest = grids.back();
  std::ranges::stable_sort(grids, {}, pixels_read);
  const auto memory = static_cast<double>(demand.memory_bytes);
  // Memory goes about with the pixels that are read, as those of a part at hand tell.
  double bytes_per_pixel = 0;
  for (const TileGrid& grid : grids) {
    const double seen =
        (std::min(grid.rows, grid.height) + around) * (std::min(grid.columns, grid.width) + around);
    if (bytes_per_pixel * seen > kMargin * memory) continue;
    if (bytes_per_pixel == 0 && seen > 0x1p22 && !(grid == smallest)) {
      const PixelRect small = middle_part(smallest);
      bytes_per_pixel = static_cast<double>(demand.bytes_of(small)) /
                        ((small.height + around) * (small.width + around));
      if (bytes_per_pixel * seen > kMargin * memory) continue;
    }
    if (static_cast<double>(demand.bytes_of(middle_part(grid))) <= memory) return grid;
  }
  return smallest;
}

}  // namespace segmentum
