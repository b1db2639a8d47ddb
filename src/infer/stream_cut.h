// How a streamed picture is cut: into tiles, each with what it must see around it, or into columns
// that the network goes down band by band.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "image/picture_source.h"
#include "infer/network.h"
#include "infer/tile_grid.h"

namespace segmentum {

struct StreamCut {
  TileGrid grid;      // the parts that are written, one after the other
  int band_rows = 0;  // 0: each part is a tile

  /// "parts of 1024x4096 in bands of 96".
  std::string text() const;
  /// For a picture of this size; none if `text` is of nothing that can be.
  static std::optional<StreamCut> parse(const std::string& text, int height, int width);
  bool operator==(const StreamCut&) const = default;
};

/// Of the network's memory limit what program and weights leave, in bytes.
std::size_t memory_left(Network& network);

/// Of the cuts whose memory stays within the network's options (its `tile`: tiles of that side) the
/// one that reads the fewest pixels. `blend_px`: of tiles that are blended, else 0.
StreamCut choose_cut(Network& network, PictureSource& picture, int blend_px);

}  // namespace segmentum
