// Weights in the layout a kernel wants, made once for each version of the parameter and shared by
// plans.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "graph/parameter_store.h"

namespace segmentum::cpu {

/// How a kernel wants its weights.
struct PackedLayout {
  std::string name;  // equal names, equal bytes
  std::int64_t floats = 0;
  std::function<void(const float* parameter, void* packed)> pack;
};

/// One packed copy; `current()` packs again when the parameter has changed.
class PackedWeights {
 public:
  PackedWeights(const ParameterStore::Parameter& parameter, PackedLayout layout);
  /// Valid until the parameter changes. Safe from many threads while nobody changes the parameter.
  void* current();

 private:
  const ParameterStore::Parameter& parameter_;
  const PackedLayout layout_;
  std::mutex mutex_;
  Tensor packed_;
  std::uint64_t version_ = ~std::uint64_t{0};
};

/// Packed copies by (store, parameter, layout); a copy lives as long as a plan uses it.
class PackedWeightCache {
 public:
  std::shared_ptr<PackedWeights> get(const ParameterStore& store, const std::string& name,
                                     PackedLayout layout);

 private:
  using Key = std::tuple<std::uint64_t, std::string, std::string>;
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<PackedWeights>> copies_;
};

}  // namespace segmentum::cpu
