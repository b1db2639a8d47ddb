#include "graph/group_phases.h"

#include <utility>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::int64_t kFar = 3 << 14;  // a multiple of usual strides times groups of 4 and 6

/// Of groups that shall begin at `begin` or a little before it. A value has no more groups of six
/// if they begin one pixel before its first, unless its size is a multiple of six; of groups of
/// four a size of a power of two would have one more.
int phase_for(std::int64_t begin, int period) {
  constexpr int kSmallGroup = 4;
  return period > kSmallGroup && begin % period == period - 1 ? period - 1 : 0;
}

}  // namespace

Graph with_group_phases(Graph graph, const ConvolutionGrid& grid) {
  if (graph.inputs.size() != 1) return graph;
  // One pixel in the middle of a picture so large that its border is out of reach; shapes cost
  // nothing.
  const Shape picture{1, graph.node(graph.inputs.front()).channels, 2 * kFar, 2 * kFar};
  std::vector<Shape> shapes;
  try {
    shapes = infer_shapes(graph, {&picture, 1});
  } catch (const Error&) {
    return graph;  // of pictures that large there are no parts either
  }
  const std::vector<bool> never = never_cut(graph);
  std::vector<Region> regions(graph.nodes.size());
  for (const Output& output : graph.outputs) {
    const auto value = static_cast<std::size_t>(output.value);
    const std::int64_t y = shapes[value].h() / 2, x = shapes[value].w() / 2;
    if (!never[value]) regions[value] = {{y, y + 1}, {x, x + 1}};
  }
  for (ValueId id = static_cast<ValueId>(graph.nodes.size()) - 1; id >= 0; --id) {
    const Region out = regions[static_cast<std::size_t>(id)];
    if (out.empty()) continue;
    Node& node = graph.nodes[static_cast<std::size_t>(id)];
    if (auto* conv = std::get_if<op::Conv>(&node.op); conv && conv->dilation == Size2(1)) {
      conv->phase = {phase_for(out.y.begin, grid.period(graph, id, 2)),
                     phase_for(out.x.begin, grid.period(graph, id, 3))};
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Region& in = regions[static_cast<std::size_t>(node.inputs[i])];
      in = hull(in, needed_of_input(graph, shapes, id, i, out, grid));
    }
  }
  return graph;
}

}  // namespace segmentum
