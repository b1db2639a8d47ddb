// Whether a network runs a picture whole or in tiles, and in which.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/executor.h"
#include "infer/tiles.h"

namespace segmentum {

/// What `graph` asks of its tiles on an engine of this `grid` (Executor::grid); nothing where it
/// looks at the whole picture at once. One rule for both axes: what either of them asks for.
std::optional<TileRule> tile_rule(const Graph& graph, int channels, const ConvolutionGrid& grid);

/// Decides for one network and memory limit. Safe to use from many threads.
class Tiling {
 public:
  /// `tile`: the step from tile to tile in pixels; 0: what fits into `memory_limit_bytes`. The rest
  /// must outlive the tiling.
  Tiling(Executor& executor, const Graph& graph, ParameterStore& parameters,
         std::size_t memory_limit_bytes, int tile = 0);

  /// The tiles in which a picture of this size is run: one, the picture itself, where it fits the
  /// memory limit or where the network must see it whole.
  std::vector<Tile> tiles(int height, int width);

 private:
  double bytes_per_pixel();

  Executor& executor_;
  const Graph& graph_;
  ParameterStore& parameters_;
  std::size_t memory_limit_bytes_;
  int tile_;
  std::optional<TileRule> rule_;
  std::once_flag measured_;
  double bytes_per_pixel_ = 0;
};

}  // namespace segmentum
