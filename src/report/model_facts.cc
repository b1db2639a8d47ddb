#include "report/model_facts.h"

#include "model_file/model.h"

namespace segmentum {

ModelFacts facts_of(const Model& model) {
  ModelFacts facts{.architecture = model.graph.architecture,
                   .settings = model.settings,
                   .provenance = model.provenance};
  for (const ParameterSpec& parameter : model.graph.parameters) {
    if (is_trainable(parameter.role)) facts.parameters += parameter.shape.count();
  }
  return facts;
}

}  // namespace segmentum
