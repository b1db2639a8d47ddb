#include "engine/cpu/packed_weights.h"

#include <algorithm>
#include <utility>

namespace segmentum::cpu {
namespace {

/// Copies of fewer floats never take turns: a depthwise step holds two, its weights and its biases.
constexpr std::int64_t kLargeFloats = std::int64_t{1} << 17;

}  // namespace

PackedWeights::PackedWeights(const ParameterStore::Parameter& parameter, PackedLayout layout,
                             std::shared_ptr<PackedMemory> memory)
    : parameter_(parameter), layout_(std::move(layout)), memory_(std::move(memory)) {
  memory_->most_floats = std::max(memory_->most_floats, layout_.floats);
}

std::uint64_t PackedWeights::version() const {
  return parameter_.version + (layout_.with == nullptr ? 0 : layout_.with->version);
}

void* PackedWeights::current() {
  const std::lock_guard lock(memory_->mutex);
  Tensor& packed = memory_->floats;
  if (memory_->holder != this || version_ != version()) {
    if (packed.data() == nullptr || packed.shape().count() < layout_.floats) {
      packed = Tensor({memory_->most_floats});
    }
    layout_.pack(parameter_.value.data(), packed.data());
    version_ = version();
    memory_->holder = this;
  }
  return packed.data();
}

PackedWeightCache::PackedWeightCache(Keep keep)
    : turns_(keep == Keep::turns ? std::make_shared<PackedMemory>() : nullptr) {}

std::shared_ptr<PackedWeights> PackedWeightCache::get(const ParameterStore& store,
                                                      const std::string& name,
                                                      PackedLayout layout) {
  const std::lock_guard lock(mutex_);
  std::erase_if(copies_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = copies_[{store.id(), name, layout.name}];
  std::shared_ptr<PackedWeights> copy = entry.lock();
  if (!copy) {
    const bool takes_turns = turns_ && layout.floats >= kLargeFloats;
    copy = std::make_shared<PackedWeights>(store.at(name), std::move(layout),
                                           takes_turns ? turns_ : std::make_shared<PackedMemory>());
    entry = copy;
  }
  return copy;
}

std::size_t PackedWeightCache::bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t floats = turns_ ? turns_->most_floats : 0;
  for (const auto& [key, entry] : copies_) {
    const auto copy = entry.lock();
    const bool takes_turns = copy && turns_ && copy->floats() >= kLargeFloats;
    if (copy && !takes_turns) floats += copy->floats();
  }
  return sizeof(float) * static_cast<std::size_t>(floats);
}

}  // namespace segmentum::cpu
