#include "train/best_model.h"

#include <algorithm>
#include <utility>

namespace segmentum {
namespace {

/// The mask value of each class; empty if a class has none of its own or masks hold colours.
std::vector<std::uint32_t> source_values(const Dataset& dataset) {
  if (dataset.encoding.kind != LabelEncoding::Kind::value) return {};
  std::vector<std::uint32_t> values;
  for (int k = 0; k < dataset.class_count(); ++k) {
    const auto found = std::ranges::find_if(dataset.encoding.to_class,
                                            [k](const auto& pair) { return pair.second == k; });
    if (found == dataset.encoding.to_class.end()) return {};
    values.push_back(found->first);
  }
  return values;
}

}  // namespace

Model model_of(const TrainingSetup& setup, const ParameterStore& weights,
               std::map<std::string, std::string> provenance) {
  Model model;
  model.graph = setup.graph;
  model.parameters = weights.clone();
  model.preprocess = setup.preprocess;
  model.classes = setup.dataset.classes;
  model.source_values = source_values(setup.dataset);
  model.source_ignore_value = setup.dataset.encoding.ignore_value;
  model.settings = setup.config.model;
  model.provenance = std::move(provenance);
  return model;
}

}  // namespace segmentum
