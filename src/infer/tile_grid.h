// How a huge picture is cut: into equal parts as large as memory allows.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "image/picture_source.h"

namespace segmentum {

/// The picture's parts, each pixel in one: `rows` x `columns` pixels, fewer at the right and the
/// bottom.
struct TileGrid {
  int height = 0;
  int width = 0;
  int rows = 0;
  int columns = 0;

  int count_down() const { return (height + rows - 1) / rows; }
  int count_across() const { return (width + columns - 1) / columns; }
  int count() const { return count_down() * count_across(); }
  PixelRect part(int down, int across) const;
  /// The one in the middle, of two the first: no part is larger.
  PixelRect middle() const { return part((count_down() - 1) / 2, (count_across() - 1) / 2); }
  /// Row by row.
  PixelRect part(int index) const { return part(index / count_across(), index % count_across()); }
  bool operator==(const TileGrid&) const = default;
};

/// The sides that cut `size` into 1, 2, 3, ... parts that are about equal, multiples of `multiple`:
/// each once, the largest first.
std::vector<int> equal_sides(int size, int multiple);

/// In all, of parts that read `around_px` pixels beyond themselves, both sides together.
double pixels_read(const TileGrid& grid, int around_px);

/// What decides the parts' size.
struct TileDemand {
  int height = 0;  // of the picture
  int width = 0;
  int multiple = 1;   // sides of parts are multiples of it
  int around_px = 0;  // what is read beyond a part, both sides together
  std::size_t memory_bytes = 0;
  /// Bytes that a part of so many rows and columns takes, where it is run.
  std::function<std::size_t(const PixelRect& part)> bytes_of;
};

/// Of the grids whose parts fit the memory the one that reads the fewest pixels; where none fits,
/// the one of the smallest parts. `bytes_of` is asked a few times.
TileGrid choose_grid(const TileDemand& demand);

}  // namespace segmentum
