#include "infer/network.h"

#include <algorithm>
#include <numeric>

#include "graph/analysis.h"
#include "graph/rewrite.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

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

/// One rule for both axes: what either of them asks for.
std::optional<TileRule> tile_rule(const Graph& graph, int channels) {
  const Shape input{1, channels, kProbeSide, kProbeSide};
  const Analysis analysis = analyse(graph, {&input, 1});
  if (!analysis.tile_halo) return std::nullopt;
  const Padding& halo = *analysis.tile_halo;
  return TileRule{std::max({halo.top, halo.left, halo.bottom, halo.right}),
                  std::lcm(analysis.tile_multiple.h, analysis.tile_multiple.w)};
}

}  // namespace

Network::Network(Model model, const SegmenterOptions& options)
    : model_(optimised(std::move(model))),
      options_(options),
      executor_(make_executor(options.engine)) {
  if (options.tile < 0 || options.threads < 0) {
    throw Error("tile and threads must be 0 (automatic) or positive");
  }
  tile_rule_ = tile_rule(model_.graph, input_channels());
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
