#include "engine/cpu/packed_weights.h"

#include <utility>

namespace segmentum::cpu {

PackedWeights::PackedWeights(const ParameterStore::Parameter& parameter, PackedLayout layout)
    : parameter_(parameter), layout_(std::move(layout)) {}

void* PackedWeights::current() {
  const std::lock_guard lock(mutex_);
  if (version_ != parameter_.version) {
    if (packed_.data() == nullptr) packed_ = Tensor({layout_.floats});
    layout_.pack(parameter_.value.data(), packed_.data());
    version_ = parameter_.version;
  }
  return packed_.data();
}

std::shared_ptr<PackedWeights> PackedWeightCache::get(const ParameterStore& store,
                                                      const std::string& name,
                                                      PackedLayout layout) {
  const std::lock_guard lock(mutex_);
  std::erase_if(copies_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = copies_[{store.id(), name, layout.name}];
  std::shared_ptr<PackedWeights> copy = entry.lock();
  if (!copy) {
    copy = std::make_shared<PackedWeights>(store.at(name), std::move(layout));
    entry = copy;
  }
  return copy;
}

}  // namespace segmentum::cpu
