#include "bench/layer_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace segmentum {
namespace {

constexpr double kEnough = 0.25;

struct Layer {
  std::string name, shape, kernels;
  Pass pass = Pass::forward;
  double seconds = 0, gflop = 0, gbytes = 0;

  double fma_share(const MachineBest& best) const { return gflop / seconds / best.fma_gflops; }
  double memory_share(const MachineBest& best) const { return gbytes / seconds / best.gbytes(); }
  bool slow(const MachineBest& best) const {
    return fma_share(best) < kEnough && memory_share(best) < kEnough;
  }
};

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

/// Layers in the order in which they ran.
std::vector<Layer> layers_of(const std::vector<StepTime>& steps, const Graph& graph,
                             const Analysis& analysis) {
  std::map<std::string, ValueId> ids;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ids[graph.nodes[i].name] = static_cast<ValueId>(i);
  }
  std::vector<Layer> layers;
  std::map<std::pair<std::string, Pass>, std::size_t> places;
  for (const StepTime& step : steps) {
    const auto [place, is_new] = places.try_emplace({step.node, step.pass}, layers.size());
    if (is_new) {
      const ValueId id = ids.at(step.node);
      const NodeAnalysis& node = analysis.nodes[static_cast<std::size_t>(id)];
      Layer layer{step.node, node.shape.to_string(), "", step.pass};
      const bool backward = step.pass == Pass::backward;
      layer.gflop = (backward ? 4e-9 : 2e-9) * static_cast<double>(node.multiply_adds);
      double gbytes = value_gbytes(analysis, id);
      for (ValueId input : graph.node(id).inputs) {
        gbytes += (backward ? 2 : 1) * value_gbytes(analysis, input);
      }
      gbytes += (backward ? 8e-9 : 4e-9) * static_cast<double>(node.parameters);
      layer.gbytes = gbytes;
      layers.push_back(layer);
    }
    Layer& layer = layers[place->second];
    layer.seconds += step.seconds;
    layer.kernels += (layer.kernels.empty() ? "" : " + ") + step.kernel;
  }
  return layers;
}

void print_heading() {
  fmt::print("{:<8} {:<34} {:<18} {:>9} {:>8} {:>8} {:>6} {:>6}  {}\n", "pass", "layer", "output",
             "ms", "GFLOP", "GB", "FMA", "memory", "kernels");
}

void print_layer(const Layer& layer, const MachineBest& best) {
  fmt::print("{:<8} {:<34} {:<18} {:9.3f} {:8.3f} {:8.4f} {:5.0f}% {:5.0f}%  {}\n",
             layer.pass == Pass::forward ? "forward" : "backward", layer.name, layer.shape,
             layer.seconds * 1e3, layer.gflop, layer.gbytes, layer.fma_share(best) * 100,
             layer.memory_share(best) * 100, layer.kernels);
}

void print_slow(std::vector<Layer> layers, const MachineBest& best, double total) {
  std::erase_if(layers, [&](const Layer& layer) { return !layer.slow(best); });
  std::ranges::stable_sort(layers, std::greater{}, &Layer::seconds);
  double seconds = 0;
  for (const Layer& layer : layers) seconds += layer.seconds;
  fmt::print("\n{} layers reach a quarter of neither: {:.3f} ms, {:.1f}% of the time\n",
             layers.size(), seconds * 1e3, seconds / total * 100);
  for (const Layer& layer : layers) print_layer(layer, best);
}

}  // namespace

int print_layers(const std::vector<std::vector<StepTime>>& runs, const Graph& graph,
                 const Analysis& analysis, const MachineBest& best) {
  const std::vector<StepTime> steps = fastest_steps(runs);
  const std::vector<Layer> layers = layers_of(steps, graph, analysis);
  double total = 0, gflop = 0;
  print_heading();
  for (const Layer& layer : layers) {
    print_layer(layer, best);
    total += layer.seconds;
    gflop += layer.gflop;
  }
  fmt::print("\n{} steps, {:.2f} ms, {:.2f} GFLOP, {:.0f}% of the multiply-add peak; {} runs\n",
             steps.size(), total * 1e3, gflop, gflop / total / best.fma_gflops * 100, runs.size());
  fmt::print("the machine: {:.1f} GFLOP/s, {:.1f} GB/s\n", best.fma_gflops, best.gbytes());
  print_slow(layers, best, total);
  int references = 0;
  for (const StepTime& step : steps) {
    if (step.kernel.find("ref") == std::string::npos) continue;
    if (references++ == 0) fmt::print("\nsteps on reference loops:\n");
    fmt::print("  {} ({})\n", step.node, step.kernel);
  }
  return references;
}

}  // namespace segmentum
