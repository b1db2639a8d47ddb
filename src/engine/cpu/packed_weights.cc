#include "engine/cpu/packed_weights.h"

#include <utility>

namespace segmentum::cpu {

PackedWeights::PackedWeights(const ParameterStore::Parameter& parameter, WeightView view,
                             std::int64_t weight_floats)
    : parameter_(parameter), view_(std::move(view)), weight_floats_(weight_floats) {}

void* PackedWeights::current(const Convolution& packer) {
  const std::lock_guard lock(mutex_);
  if (version_ != parameter_.version) {
    if (bytes_.data() == nullptr) {
      const auto floats = (packer.packed_bytes() + sizeof(float) - 1) / sizeof(float);
      bytes_ = Tensor({static_cast<std::int64_t>(floats)});
    }
    if (view_) {
      Tensor weights({weight_floats_});
      view_(parameter_.value.data(), weights.data());
      packer.pack(weights.data(), bytes_.data());
    } else {
      packer.pack(parameter_.value.data(), bytes_.data());
    }
    version_ = parameter_.version;
  }
  return bytes_.data();
}

std::shared_ptr<PackedWeights> PackedWeightCache::get(const ParameterStore& store,
                                                      const std::string& name,
                                                      const Convolution& packer,
                                                      const std::string& view_name, WeightView view,
                                                      std::int64_t weight_floats) {
  const std::lock_guard lock(mutex_);
  std::erase_if(copies_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = copies_[{store.id(), name, packer.packed_layout(), view_name}];
  std::shared_ptr<PackedWeights> copy = entry.lock();
  if (!copy) {
    copy = std::make_shared<PackedWeights>(store.at(name), std::move(view), weight_floats);
    entry = copy;
  }
  return copy;
}

}  // namespace segmentum::cpu
