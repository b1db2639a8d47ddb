#include "engine/cases/case_lists.h"

namespace segmentum {

EngineCase single(const std::string& name, const Shape& input,
                  const std::function<ValueId(GraphBuilder&, ValueId)>& append) {
  GraphBuilder g(name);
  const ValueId x = g.input("image", {.channels = static_cast<int>(input.c())});
  g.output("result", append(g, x));
  return {name, std::move(g).build(), {input}};
}

EngineCase pair(const std::string& name, const Shape& first, const Shape& second,
                const std::function<ValueId(GraphBuilder&, ValueId, ValueId)>& append) {
  GraphBuilder g(name);
  const ValueId a = g.input("first", {.channels = static_cast<int>(first.c())});
  const ValueId b = g.input("second", {.channels = static_cast<int>(second.c())});
  g.output("result", append(g, a, b));
  return {name, std::move(g).build(), {first, second}};
}

const std::vector<NamedActivation>& activations() {
  static const std::vector<NamedActivation> kAll{{"relu", ActivationKind::relu},
                                                 {"leaky_relu", {ActivationKind::leaky_relu, 0.2f}},
                                                 {"relu6", ActivationKind::relu6},
                                                 {"sigmoid", ActivationKind::sigmoid},
                                                 {"hard_sigmoid", ActivationKind::hard_sigmoid},
                                                 {"hard_swish", ActivationKind::hard_swish},
                                                 {"gelu", ActivationKind::gelu}};
  return kAll;
}

}  // namespace segmentum
