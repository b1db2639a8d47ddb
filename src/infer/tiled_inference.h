// A network on pictures of any size in memory: whole, or in tiles or bands with the bits of the
// whole.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/plan_cache.h"
#include "engine/score_rows.h"
#include "image/preprocess.h"
#include "infer/band_plan.h"
#include "infer/region_plans.h"
#include "infer/tile_grid.h"
#include "segmentum/image.h"

namespace segmentum {

struct TilingOptions {
  std::size_t memory_bytes = std::size_t{1} << 30;  // for the values of the network
  int tile = 0;  // side of the parts in pixels; 0: as large as memory allows
};

/// Not thread-safe. What it is made of must outlive it.
class TiledInference {
 public:
  static constexpr int kLeastSide = 64;  // of tiles, of which both sides are multiples of it

  TiledInference(Executor& executor, const Graph& graph, ParameterStore& parameters,
                 const Preprocess& preprocess, const TilingOptions& options);

  /// The parts in which a picture of this size is run, tiles or bands of columns: one where it is
  /// small or fits the memory, and where the network must see it whole.
  TileGrid grid(int height, int width);

  using Visit = std::function<void(const PixelRect& part, const ScoreRows& scores)>;

  /// Runs the network on every part of the picture, or of the picture mirrored left to right;
  /// `visit(part, scores)` gets the scores of that part (and of rows below it, which are none of
  /// the picture's), valid until it returns.
  void walk(const ImageView& picture, bool flipped, const Visit& visit);

 private:
  /// How pictures of one size are cut.
  struct Cut {
    TileGrid grid;
    RegionPlans regions;
    std::vector<BandPlan> columns;  // from left to right; none: `grid` is of tiles
  };

  bool fits(int height, int width);
  double bytes_per_pixel();
  Cut& cut(int height, int width);
  TileGrid tiles_of(const RegionPlans& regions, int height, int width) const;
  void go_by_bands(Cut& cut) const;
  std::optional<BandPlan> bands_of(const TileGrid& grid, const PixelRect& part,
                                   std::shared_ptr<Workspace> workspace) const;
  void walk_tiles(Cut& cut, const ImageView& picture, bool flipped, const Visit& visit);
  void walk_bands(Cut& cut, const ImageView& picture, bool flipped, const Visit& visit);
  const ScoreRows& run(Plan& plan, const ImageView& seen, bool flipped);

  Executor& executor_;
  const Graph& graph_;
  ParameterStore& parameters_;
  const Preprocess& preprocess_;
  TilingOptions options_;
  double bytes_per_pixel_ = 0;  // 0: not measured yet
  PlanCache wholes_;
  std::optional<Cut> cut_;  // of the size cut last; it or `wholes_` holds memory
};

}  // namespace segmentum
