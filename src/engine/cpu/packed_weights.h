// Weights in the layout a kernel wants, made once for each version of the parameter and shared by
// plans.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "engine/cpu/onednn_convolution.h"
#include "graph/parameter_store.h"

namespace segmentum::cpu {

/// Plain weights as the convolution reads them; null where they are the parameter itself.
using WeightView = std::function<void(const float* parameter, float* weights)>;

/// One packed copy; `current()` packs again when the parameter has changed.
class PackedWeights {
 public:
  PackedWeights(const ParameterStore::Parameter& parameter, WeightView view,
                std::int64_t weight_floats);
  /// Valid until the parameter changes. Safe from many threads while nobody changes the parameter.
  void* current(const Convolution& packer);

 private:
  const ParameterStore::Parameter& parameter_;
  WeightView view_;
  std::int64_t weight_floats_;
  std::mutex mutex_;
  Tensor bytes_;
  std::uint64_t version_ = ~std::uint64_t{0};
};

/// Packed copies by (store, parameter, layout); a copy lives as long as a plan uses it.
class PackedWeightCache {
 public:
  std::shared_ptr<PackedWeights> get(const ParameterStore& store, const std::string& name,
                                     const Convolution& packer, const std::string& view_name,
                                     WeightView view, std::int64_t weight_floats);

 private:
  using Key = std::tuple<std::uint64_t, std::string, std::string, std::string>;
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<PackedWeights>> copies_;
};

}  // namespace segmentum::cpu
