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
  /// Another parameter that `pack` reads: when it changes, the copy is packed again too.
  const ParameterStore::Parameter* with = nullptr;
};

class PackedWeights;

/// Where copies are packed to: one, or several in turns.
struct PackedMemory {
  std::mutex mutex;
  Tensor floats;
  std::int64_t most_floats = 0;           // of all copies that take turns
  const PackedWeights* holder = nullptr;  // whose copy is there
};

/// One packed copy; `current()` packs again when the parameter has changed, or when another one
/// took the memory.
class PackedWeights {
 public:
  PackedWeights(const ParameterStore::Parameter& parameter, PackedLayout layout,
                std::shared_ptr<PackedMemory> memory);
  /// Valid until the parameter changes; where copies take turns, until the next one's. Else safe
  /// from many threads while nobody changes the parameter.
  void* current();
  std::int64_t floats() const { return layout_.floats; }

 private:
  /// Of all that is packed: rises with every change of it.
  std::uint64_t version() const;

  const ParameterStore::Parameter& parameter_;
  const PackedLayout layout_;
  std::shared_ptr<PackedMemory> memory_;
  std::uint64_t version_ = ~std::uint64_t{0};
};

/// Packed copies by (store, parameter, layout); a copy lives as long as a plan uses it.
class PackedWeightCache {
 public:
  /// turns: large copies share the memory of the largest and are packed before each use, for one
  /// plan whose weights change between its runs. A step uses one large copy at most.
  enum class Keep { all, turns };
  explicit PackedWeightCache(Keep keep = Keep::all);

  std::shared_ptr<PackedWeights> get(const ParameterStore& store, const std::string& name,
                                     PackedLayout layout);
  /// What all copies in use take, once they are packed.
  std::size_t bytes() const;

 private:
  using Key = std::tuple<std::uint64_t, std::string, std::string>;
  mutable std::mutex mutex_;
  std::map<Key, std::weak_ptr<PackedWeights>> copies_;
  std::shared_ptr<PackedMemory> turns_;  // null: each copy has memory of its own
};

}  // namespace segmentum::cpu
