// Proof of a streamed label map: parts of it segmented once more, cut in another way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "infer/network.h"
#include "infer/region_labels.h"
#include "infer/stored_values.h"
#include "infer/tile_grid.h"
#include "segmentum/progress.h"

namespace segmentum {

struct StreamProof {
  int parts = 0;           // at random places
  std::uint64_t seed = 0;  // of the places

  /// Compares with `file`, written in the parts of `grid`; returns how many pixels. Throws Error
  /// where one differs, Interrupted where that is asked for.
  std::int64_t run(Network& network, RegionLabels& exact, const TileGrid& grid,
                   const StoredValues& values, const std::filesystem::path& file,
                   ProgressSink* progress) const;

 private:
  std::vector<PixelRect> places(Network& network, const RegionLabels& exact,
                                const TileGrid& grid) const;
};

}  // namespace segmentum
