#include "train/best_model.h"

#include <utility>

#include "data/label_values.h"
#include "models/registry.h"

namespace segmentum {

Model model_of(const TrainingSetup& setup, const ParameterStore& weights,
               std::map<std::string, std::string> provenance) {
  Model model;
  model.graph = setup.graph;
  model.parameters = weights.clone();
  model.preprocess = setup.preprocess;
  model.classes = setup.dataset.classes;
  const LabelEncoding& encoding = setup.dataset.encoding;
  model.source_values = source_values(encoding, setup.dataset.class_count());
  model.source_ignore_value = encoding.ignore_value;
  model.source_values_are_colours = encoding.kind == LabelEncoding::Kind::colour;
  if (setup.boxes) model.boxes = setup.boxes->crop;
  model.settings = setup.config.model;
  model.crf = post_crf(*setup.config.architecture, {.settings = setup.config.model});
  model.provenance = std::move(provenance);
  return model;
}

}  // namespace segmentum
