#include "engine/engine_cases.h"

#include <algorithm>
#include <ostream>

#include "engine/cases/case_lists.h"

namespace segmentum {

std::vector<EngineCase> engine_cases() {
  std::vector<EngineCase> cases;
  add_convolutions(cases);
  add_depthwise_convolutions(cases);
  add_transposed_convolutions(cases);
  add_awkward_activations(cases);
  add_normalisations(cases);
  add_pointwise(cases);
  add_poolings(cases);
  add_resampling(cases);
  add_mean_fields(cases);
  add_networks(cases);
  return cases;
}

std::vector<EngineCase> batch_norm_cases() {
  std::vector<EngineCase> cases = engine_cases();
  std::erase_if(cases, [](const EngineCase& tested) {
    return std::ranges::none_of(tested.graph.nodes, [](const Node& node) {
      return std::holds_alternative<op::BatchNorm>(node.op);
    });
  });
  return cases;
}

std::ostream& operator<<(std::ostream& out, const EngineCase& engine_case) {
  return out << engine_case.name;
}

}  // namespace segmentum
