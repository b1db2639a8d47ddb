// Weights of one network for another: fine-tuning, and training in stages.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"

namespace segmentum {

/// What becomes of every parameter, running statistics included, when a training starts from
/// another network's.
struct WeightTransfer {
  struct Parameter {
    std::string name;
    Shape here;
    Shape there;  // no axes: the other network has none of this name
  };
  std::vector<Parameter> taken;    // same name and shape
  std::vector<Parameter> adapted;  // first convolutions for pictures of other channels
  std::vector<Parameter> fresh;    // start as they would without the other network
  std::vector<std::string> left;   // the other network's, of no use here
};

/// Decides by names and shapes alone. O(parameters).
WeightTransfer plan_transfer(const Graph& from, const Graph& to);

/// Puts `source`'s values into `parameters`, which are initialised for the graph that the transfer
/// was planned to.
void transfer_weights(const WeightTransfer& transfer, const ParameterStore& source,
                      ParameterStore& parameters);

/// The transfer in lines for a person: counts first, then all that was not simply taken, by node.
/// `source`: where the weights come from.
std::vector<std::string> transfer_report(const WeightTransfer& transfer, const std::string& source);

}  // namespace segmentum
