// A network on pictures of any size in memory: whole, or in parts with the bits of the whole.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "engine/plan_cache.h"
#include "engine/score_rows.h"
#include "image/preprocess.h"
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
  static constexpr int kLeastSide = 64;  // of parts, of which both sides are multiples of it

  TiledInference(Executor& executor, const Graph& graph, ParameterStore& parameters,
                 const Preprocess& preprocess, const TilingOptions& options);

  /// The parts in which a picture of this size is run: one where it is small or fits the memory,
  /// and where the network must see it whole.
  TileGrid grid(int height, int width);

  /// Runs the network on every part of the picture, or of the picture mirrored left to right;
  /// `visit(part, scores)` gets the scores of just that part, valid until it returns.
  void walk(const ImageView& picture, bool flipped,
            const std::function<void(const PixelRect& part, const ScoreRows& scores)>& visit);

 private:
  bool fits(int height, int width);
  double bytes_per_pixel();
  void cut(int height, int width);
  TileGrid grid_of(const RegionPlans& regions, int height, int width) const;
  const ScoreRows& run(Plan& plan, const ImageView& seen, bool flipped);

  Executor& executor_;
  const Graph& graph_;
  ParameterStore& parameters_;
  const Preprocess& preprocess_;
  TilingOptions options_;
  double bytes_per_pixel_ = 0;  // 0: not measured yet
  PlanCache wholes_;
  std::optional<RegionPlans> regions_;  // of the size cut last; they or `wholes_` hold memory
  TileGrid grid_;                       // likewise
};

}  // namespace segmentum
