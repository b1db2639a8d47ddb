#include "infer/tiling.h"

#include <algorithm>
#include <numeric>

#include "graph/analysis.h"
#include "graph/regions.h"

namespace segmentum {
namespace {

constexpr std::int64_t kFarSide = 1 << 16;
constexpr int kProbeSide = 256;  // pictures of up to this size are always run whole

}  // namespace

/// The halo is that of the bits, wider than the receptive field where the engine computes groups of
/// pixels together.
std::optional<TileRule> tile_rule(const Graph& graph, int channels, const ConvolutionGrid& grid) {
  const Shape probe{1, channels, kProbeSide, kProbeSide};
  const Analysis analysis = analyse(graph, {&probe, 1});
  if (!analysis.tile_halo) return std::nullopt;
  const int multiple =
      grid.period(graph) * std::lcm(analysis.tile_multiple.h, analysis.tile_multiple.w);
  // One tile in the middle of a picture so large that its border is out of reach (shapes cost
  // nothing).
  const std::int64_t before = std::int64_t{multiple} * (kFarSide / multiple);
  const Shape large{1, channels, 2 * before + multiple, 2 * before + multiple};
  const Interval tile{before, before + multiple};
  const WantedRegion wanted{graph.output("logits"), {tile, tile}};
  const std::vector<Shape> shapes = infer_shapes(graph, {&large, 1});
  const Region needed = needed_regions(graph, shapes, {&wanted, 1},
                                       grid)[static_cast<std::size_t>(graph.inputs.front())];
  const std::int64_t halo = std::max({tile.begin - needed.y.begin, needed.y.end - tile.end,
                                      tile.begin - needed.x.begin, needed.x.end - tile.end});
  if (halo >= before) return std::nullopt;
  return TileRule{static_cast<int>(halo), multiple};
}

Tiling::Tiling(Executor& executor, const Graph& graph, ParameterStore& parameters,
               std::size_t memory_limit_bytes, int tile)
    : executor_(executor),
      graph_(graph),
      parameters_(parameters),
      memory_limit_bytes_(memory_limit_bytes),
      tile_(tile),
      rule_(tile_rule(graph, graph.node(graph.inputs.front()).channels, executor.grid())) {}

std::vector<Tile> Tiling::tiles(int height, int width) {
  const std::int64_t pixels = std::int64_t{height} * width;
  const bool small = tile_ == 0 && pixels <= kProbeSide * kProbeSide;
  if (!rule_ || small) return {{{0, height, 0, height}, {0, width, 0, width}}};
  int step = tile_;
  if (step == 0) {
    const double bytes = bytes_per_pixel();
    const bool whole =
        bytes * static_cast<double>(pixels) <= static_cast<double>(memory_limit_bytes_);
    step = whole ? std::max(height, width) : step_within(memory_limit_bytes_, bytes, *rule_);
  }
  return cut(height, width, step, *rule_);
}

/// Measured once, on a plan of a moderate size.
double Tiling::bytes_per_pixel() {
  std::call_once(measured_, [&] {
    const Shape input{1, graph_.node(graph_.inputs.front()).channels, kProbeSide, kProbeSide};
    const auto plan =
        executor_.plan(graph_, parameters_, {&input, 1}, {.outputs = OutputForm::rows});
    bytes_per_pixel_ =
        static_cast<double>(plan->memory_bytes()) / (double{kProbeSide} * kProbeSide);
  });
  return bytes_per_pixel_;
}

}  // namespace segmentum
