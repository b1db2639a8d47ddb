// Labels of a huge picture from overlapping tiles, each segmented as a picture of its own and
// weighted by a window: for networks that must see all of what they are given.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "image/picture_source.h"
#include "infer/network.h"
#include "infer/tile_grid.h"

namespace segmentum {

/// Tile (i,j) sees rows [i*rows, (i+1)*rows + overlap) of the picture, and columns likewise. Where
/// two overlap, the weight of the later one rises from 0 to 1 as (1 - cos(pi t))/2 and that of the
/// earlier one is the rest, along each axis; probabilities are summed with their product. What the
/// network says of a pixel so changes smoothly from tile to tile. Not thread-safe.
class BlendedLabels {
 public:
  /// Throws Error unless the grid's parts have more pixels than the overlap along each axis.
  BlendedLabels(Network& network, PictureSource& picture, const TileGrid& grid, int overlap_px);

  /// Walks over tiles row by row, from row `first` of the grid on, and calls
  /// `visit(part, labels)` for each part of the grid, labels complete. Where `first` > 0, the row
  /// before it is segmented again, since its tiles reach into it.
  void walk(int first, const std::function<void(const PixelRect&, const LabelMap&)>& visit);

  static std::size_t memory_bytes(Network& network, const PictureSource& picture,
                                  const PixelRect& part, int overlap_px);

 private:
  Probabilities weighted(int down, int across);
  PixelRect seen(int down, int across) const;
  LabelMap finish_part(Probabilities& tile, int down, int across);
  Plan& plan_for(int height, int width);

  Network& network_;
  PictureSource& picture_;
  TileGrid grid_;
  int overlap_;
  std::shared_ptr<Workspace> workspace_ = std::make_shared<Workspace>();
  std::map<std::pair<int, int>, std::unique_ptr<Plan>> plans_;  // by height and width
  Probabilities below_;       // [K, overlap, W]: what the row of tiles above says of the next one
  Probabilities below_next_;  // the same for the row after it
  Probabilities beside_;      // [K, h, overlap]: what the tile on the left says of the next one
};

}  // namespace segmentum
