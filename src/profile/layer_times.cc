#include "profile/layer_times.h"

#include <algorithm>
#include <map>
#include <utility>

namespace segmentum {
namespace {

/// All runs have the same steps in the same order.
std::vector<StepTime> fastest_steps(const std::vector<std::vector<StepTime>>& runs) {
  std::vector<StepTime> steps = runs.front();
  for (const auto& run : runs) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      steps[i].seconds = std::min(steps[i].seconds, run[i].seconds);
    }
  }
  return steps;
}

double value_gbytes(const Analysis& analysis, ValueId id) {
  return 4e-9 * static_cast<double>(analysis.nodes[static_cast<std::size_t>(id)].shape.count());
}

/// A layer without its time. `ids`: the nodes that one step computes, the last of them first; what
/// one of them makes for another moves nowhere.
LayerTime layer_of(const Graph& graph, const Analysis& analysis, const std::vector<ValueId>& ids,
                   Pass pass) {
  const bool backward = pass == Pass::backward;
  const ValueId last = ids.front();
  LayerTime layer{.name = graph.node(last).name,
                  .shape = analysis.nodes[static_cast<std::size_t>(last)].shape.to_string(),
                  .kernels = "",
                  .pass = pass};
  layer.gbytes = value_gbytes(analysis, last);
  for (const ValueId id : ids) {
    const NodeAnalysis& node = analysis.nodes[static_cast<std::size_t>(id)];
    layer.gflop += (backward ? 4e-9 : 2e-9) * static_cast<double>(node.multiply_adds);
    layer.gbytes += (backward ? 8e-9 : 4e-9) * static_cast<double>(node.parameters);
    for (const ValueId input : graph.node(id).inputs) {
      if (std::ranges::find(ids, input) != ids.end()) continue;
      layer.gbytes += (backward ? 2 : 1) * value_gbytes(analysis, input);
    }
  }
  return layer;
}

}  // namespace

double LayerTime::floor_seconds(const MachineBest& best) const {
  return std::max(gflop / best.fma_gflops, gbytes / best.gbytes());
}

std::vector<LayerTime> layer_times(const std::vector<std::vector<StepTime>>& runs,
                                   const Graph& graph, const Analysis& analysis) {
  std::map<std::string, ValueId> ids;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ids[graph.nodes[i].name] = static_cast<ValueId>(i);
  }
  std::vector<LayerTime> layers;
  std::map<std::pair<std::string, Pass>, std::size_t> places;
  for (const StepTime& step : fastest_steps(runs)) {
    const auto [place, is_new] = places.try_emplace({step.node, step.pass}, layers.size());
    if (is_new) {
      std::vector<ValueId> nodes{ids.at(step.node)};
      for (const std::string& other : step.within) nodes.push_back(ids.at(other));
      layers.push_back(layer_of(graph, analysis, nodes, step.pass));
    }
    LayerTime& layer = layers[place->second];
    layer.seconds += step.seconds;
    layer.kernels += (layer.kernels.empty() ? "" : " + ") + step.kernel;
  }
  return layers;
}

LayerTime total_time(std::span<const LayerTime> layers) {
  LayerTime total{.name = "total", .shape = "", .kernels = ""};
  for (const LayerTime& layer : layers) {
    total.seconds += layer.seconds;
    total.gflop += layer.gflop;
    total.gbytes += layer.gbytes;
  }
  return total;
}

double floor_seconds(std::span<const LayerTime> layers, const MachineBest& best) {
  double seconds = 0;
  for (const LayerTime& layer : layers) seconds += layer.floor_seconds(best);
  return seconds;
}

std::vector<std::string> reference_steps(const std::vector<StepTime>& run) {
  std::vector<std::string> steps;
  for (const StepTime& step : run) {
    if (step.kernel.find("ref") != std::string::npos) {
      steps.push_back(step.node + " (" + step.kernel + ")");
    }
  }
  return steps;
}

}  // namespace segmentum
