// The labels of a huge picture, column of parts by column of parts, each in bands from the top
// down: with the bits that the whole would give, and next to nothing computed twice.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "image/picture_source.h"
#include "infer/band_plan.h"
#include "infer/network.h"
#include "infer/tile_grid.h"

namespace segmentum {

/// Not thread-safe; what it is made of must outlive it.
class BandLabels {
 public:
  /// For columns [columns.begin, columns.end) of the picture in bands of `rows`; none where the
  /// network cannot go by them. `workspace`: memory that is another's before and after `walk`.
  static std::optional<BandLabels> make(Network& network, PictureSource& picture, Interval columns,
                                        int rows, std::shared_ptr<Workspace> workspace);

  /// Visits the parts of `grid` in its column `across`, which must be the columns of this, from
  /// number `down` on. With more than one thread the picture is read while the network runs.
  using Visit = std::function<void(const PixelRect& part, const LabelMap& labels)>;
  void walk(const TileGrid& grid, int down, int across, const Visit& visit);

  /// What `walk` holds in memory, the picture's own memory included.
  std::size_t memory_bytes(const TileGrid& grid) const;
  std::int64_t pixels_read() const { return plan_.pixels_read(); }

 private:
  BandLabels(PictureSource& picture, BandPlan plan) : picture_(&picture), plan_(std::move(plan)) {}

  Image read(std::int64_t band) const;

  PictureSource* picture_;
  BandPlan plan_;
};

}  // namespace segmentum
