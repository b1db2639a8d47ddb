// What the cases are made of: graphs of one operator, and the lists by concept.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine_cases.h"

namespace segmentum {

/// One operator on one input; `append` adds it and returns its value.
EngineCase single(const std::string& name, const Shape& input,
                  const std::function<ValueId(GraphBuilder&, ValueId)>& append);

/// One operator on two inputs.
EngineCase pair(const std::string& name, const Shape& first, const Shape& second,
                const std::function<ValueId(GraphBuilder&, ValueId, ValueId)>& append);

struct NamedActivation {
  std::string name;
  Activation activation;
};

const std::vector<NamedActivation>& activations();

using EngineCases = std::vector<EngineCase>;

void add_convolutions(EngineCases& cases);
/// Where vectors, borders and strides meet: whole and broken blocks of channels, kernels wider than
/// the picture, dilations that leave one tap inside.
void add_depthwise_convolutions(EngineCases& cases);
void add_transposed_convolutions(EngineCases& cases);
/// A batch norm may take over the memory of the convolution before it, unless that is needed for an
/// activation's derivative; the slope of a leaky_relu below 0 is not to be told from its result.
void add_awkward_activations(EngineCases& cases);
void add_normalisations(EngineCases& cases);
void add_pointwise(EngineCases& cases);
void add_poolings(EngineCases& cases);
void add_resampling(EngineCases& cases);
void add_mean_fields(EngineCases& cases);
/// Small networks, where operators meet.
void add_networks(EngineCases& cases);

}  // namespace segmentum
