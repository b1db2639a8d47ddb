#include "infer/network.h"

#include <algorithm>
#include <numeric>

#include "graph/analysis.h"
#include "graph/regions.h"
#include "graph/rewrite.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kFarSide = 1 << 16;
constexpr int kProbeSide = 256;  // pictures of up to this size are always run whole

std::unique_ptr<Executor> make_executor(SegmenterOptions::Engine engine) {
  return engine == SegmenterOptions::Engine::reference ? make_reference_executor()
                                                       : make_cpu_executor();
}

/// The model as it is run: without auxiliary heads, which are for training, batch norms folded.
Model optimised(Model model) {
  const std::string logits[] = {"logits"};
  GraphWithParameters result =
      optimise_for_inference(keep_outputs(model.graph, logits), model.parameters);
  model.graph = std::move(result.graph);
  model.parameters = std::move(result.parameters);
  return model;
}

/// One rule for both axes: what either of them asks for. The halo is that of the bits, wider than
/// the receptive field where the engine computes groups of pixels together.
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

}  // namespace

Network::Network(Model model, const SegmenterOptions& options)
    : model_(optimised(std::move(model))),
      options_(options),
      executor_(make_executor(options.engine)) {
  if (options.tile < 0 || options.threads < 0) {
    throw Error("tile and threads must be 0 (automatic) or positive");
  }
  tile_rule_ = tile_rule(model_.graph, input_channels(), executor_->grid());
}

std::vector<Tile> Network::tiles(int height, int width) {
  const std::int64_t pixels = std::int64_t{height} * width;
  const bool small = options_.tile == 0 && pixels <= kProbeSide * kProbeSide;
  if (!tile_rule_ || small) return {{{0, height, 0, height}, {0, width, 0, width}}};
  int step = options_.tile;
  if (step == 0) {
    const double bytes = bytes_per_pixel();
    const bool whole =
        bytes * static_cast<double>(pixels) <= static_cast<double>(options_.memory_limit_bytes);
    step = whole ? std::max(height, width)
                 : step_within(options_.memory_limit_bytes, bytes, *tile_rule_);
  }
  return cut(height, width, step, *tile_rule_);
}

/// Measured once, on a plan of a moderate size.
double Network::bytes_per_pixel() {
  std::call_once(measured_, [&] {
    const Shape input{1, input_channels(), kProbeSide, kProbeSide};
    const auto plan = executor_->plan(graph(), parameters(), {&input, 1}, {});
    bytes_per_pixel_ =
        static_cast<double>(plan->memory_bytes()) / (double{kProbeSide} * kProbeSide);
  });
  return bytes_per_pixel_;
}

}  // namespace segmentum
