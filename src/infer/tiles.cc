#include "infer/tiles.h"

#include <algorithm>
#include <cmath>

namespace segmentum {
namespace {

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

}  // namespace

std::vector<Stretch> cut(int size, int step, const TileRule& rule) {
  const int halo = round_up(rule.halo_px, rule.multiple_px);
  // 64 bits: a step beyond the picture's size is welcome.
  const std::int64_t advance = round_up(std::min(std::max(step, 1), size), rule.multiple_px);
  const std::int64_t seen = advance + 2 * halo;
  std::vector<Stretch> stretches;
  std::int64_t from = 0;
  int kept = 0;
  for (; from + seen < size; from += advance) {
    const int to = static_cast<int>(from + seen);
    stretches.push_back({static_cast<int>(from), to, kept, to - halo});
    kept = to - halo;
  }
  stretches.push_back({static_cast<int>(from), size, kept, size});
  return stretches;
}

std::vector<Tile> cut(int height, int width, int step, const TileRule& rule) {
  std::vector<Tile> tiles;
  const std::vector<Stretch> columns = cut(width, step, rule);
  for (const Stretch& rows : cut(height, step, rule)) {
    for (const Stretch& stretch : columns) tiles.push_back({rows, stretch});
  }
  return tiles;
}

int step_within(std::size_t bytes, double bytes_per_pixel, const TileRule& rule) {
  const int halo = round_up(rule.halo_px, rule.multiple_px);
  const double side = std::sqrt(static_cast<double>(bytes) / std::max(bytes_per_pixel, 1.0));
  const double step = std::min(side, 1e6) - 2.0 * halo;
  const int least = std::max(halo, rule.multiple_px);
  return step <= least ? least : static_cast<int>(step) / rule.multiple_px * rule.multiple_px;
}

int least_tile_side(const TileRule& rule) {
  const int halo = round_up(rule.halo_px, rule.multiple_px);
  return std::max(halo, rule.multiple_px) + 2 * halo;
}

ImageView region(const ImageView& picture, const Tile& tile) {
  const std::ptrdiff_t pixel_bytes =
      static_cast<std::ptrdiff_t>(sample_bytes(picture.type)) * picture.channels;
  ImageView view = picture;
  view.data = static_cast<const std::byte*>(picture.data) + tile.rows.from * picture.stride() +
              tile.columns.from * pixel_bytes;
  view.height = tile.rows.length();
  view.width = tile.columns.length();
  view.row_stride_bytes = picture.stride();
  return view;
}

Tile mirrored(const Tile& tile, int width) {
  const Stretch& c = tile.columns;
  return {tile.rows, {width - c.to, width - c.from, width - c.keep_to, width - c.keep_from}};
}

}  // namespace segmentum
