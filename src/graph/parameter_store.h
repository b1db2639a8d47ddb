// The numbers of a network, under the names that published checkpoints use.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/graph.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Plain tensors by name. Executors keep packed copies keyed by (name, version).
class ParameterStore {
 public:
  struct Parameter {
    ParameterRole role = ParameterRole::weight;
    Tensor value;
    std::uint64_t version = 0;  // rises with every change of the value
  };

  ParameterStore();
  ParameterStore(ParameterStore&&) noexcept = default;
  ParameterStore& operator=(ParameterStore&&) noexcept = default;

  /// Throws Error if `name` is already there.
  void add(const std::string& name, ParameterRole role, Tensor value);
  bool contains(const std::string& name) const { return parameters_.contains(name); }
  /// Throws Error naming the missing parameter.
  const Parameter& at(const std::string& name) const;
  const Tensor& value(const std::string& name) const { return at(name).value; }
  /// For writing; marks the parameter as changed.
  Tensor& change(const std::string& name);

  const std::map<std::string, Parameter>& all() const { return parameters_; }
  /// Tells this store from every other of the process; moves with the content.
  std::uint64_t id() const { return id_; }
  std::int64_t count() const;  // numbers in all parameters, running statistics included
  ParameterStore clone() const;

 private:
  std::uint64_t id_;
  std::map<std::string, Parameter> parameters_;
};

/// Fills every parameter of `graph` as its `Init` says; each from its own stream keyed by (seed,
/// name), so adding a layer changes no other layer's start. He et al., ICCV 2015 (fan-in, gain for
/// ReLU).
ParameterStore initialise(const Graph& graph, std::uint64_t seed);

/// Throws Error listing what is missing or misshapen for `graph`.
void require_parameters(const Graph& graph, const ParameterStore& parameters);

}  // namespace segmentum
