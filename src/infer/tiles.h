// How a picture too large for memory is cut, so that the pieces give the same bits as the whole.
#pragma once

#include <cstddef>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// What a network asks of its tiles: how far beyond a pixel it looks, and the grid on which its
/// strides repeat.
struct TileRule {
  int halo_px = 0;
  int multiple_px = 1;
};

/// One stretch of rows or columns: the network sees [from, to), of which [keep_from, keep_to) is
/// kept.
struct Stretch {
  int from = 0;
  int to = 0;
  int keep_from = 0;
  int keep_to = 0;

  int length() const { return to - from; }
  bool operator==(const Stretch&) const = default;
};

struct Tile {
  Stretch rows;
  Stretch columns;
};

/// Cuts `size` pixels so that the kept stretches cover each pixel once, about `step` pixels each.
///
/// Cuts inside of the picture lie on multiples of the rule's grid, and at least the halo (rounded
/// up to the grid) away from what is kept; the picture's own border stays a border, where the
/// network pads as it does for the whole. All stretches but the last are of one length, so few
/// plans serve a picture of any size.
std::vector<Stretch> cut(int size, int step, const TileRule& rule);

/// Every tile of a picture, row by row.
std::vector<Tile> cut(int height, int width, int step, const TileRule& rule);

/// The step whose tiles, halo included, take no more than `bytes`; never less than the halo, since
/// then nearly all work would be done several times.
int step_within(std::size_t bytes, double bytes_per_pixel, const TileRule& rule);

/// The side of the smallest tiles, halo included.
int least_tile_side(const TileRule& rule);

/// The part of a picture that a tile's network sees; no pixel is copied.
ImageView region(const ImageView& picture, const Tile& tile);

/// The tile at the same place of the picture mirrored left to right.
Tile mirrored(const Tile& tile, int width);

}  // namespace segmentum
