#include "graph/restrict.h"

#include "graph/restriction.h"

namespace segmentum {

std::optional<RestrictedGraph> restricted(const Graph& graph, const Shape& picture,
                                          const std::string& output, const Region& wanted,
                                          const ConvolutionGrid& grid) {
  if (graph.inputs.size() != 1) return std::nullopt;
  try {
    Restriction restriction(graph, picture, grid);
    restriction.want(output, wanted);
    return restriction.graph();
  } catch (const CannotRestrict&) {
    return std::nullopt;
  }
}

}  // namespace segmentum
