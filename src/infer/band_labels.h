// The labels of a huge picture, column of parts by column of parts, each in bands from the top
// down: with the bits that the whole would give, and next to nothing computed twice.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "graph/bands.h"
#include "image/picture_source.h"
#include "infer/network.h"
#include "infer/tile_grid.h"

namespace segmentum {

/// Not thread-safe; what it is made of must outlive it.
class BandLabels {
 public:
  /// The least rows of a band, of which others are multiples; 0: the network cannot go by bands.
  static int band_unit(Network& network);

  static bool possible(Network& network, const PictureSource& picture, Interval columns, int rows);

  /// For columns [columns.begin, columns.end) of the picture in bands of `rows`, where that is
  /// possible. `workspace`: memory that is another's before and after `walk`.
  BandLabels(Network& network, PictureSource& picture, Interval columns, int rows,
             std::shared_ptr<Workspace> workspace);

  /// Visits the parts of `grid` in its column `across`, which must be the columns of this, from
  /// number `down` on, until a visit returns false. With more than one thread the picture is read
  /// while the network runs.
  using Visit = std::function<bool(const PixelRect& part, const LabelMap& labels)>;
  void walk(const TileGrid& grid, int down, int across, const Visit& visit);

  /// What `walk` holds in memory, the picture's own memory included.
  std::size_t memory_bytes(const TileGrid& grid) const;
  /// Pixels that are read for a part of all rows, and those that are read again.
  std::int64_t pixels_read() const;

 private:
  Image read(std::int64_t band) const;
  void run(std::int64_t band, const Image& seen);

  Network& network_;
  PictureSource& picture_;
  BandedGraph bands_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace segmentum
