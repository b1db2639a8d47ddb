// From what a pickle holds to tensors by name.
#include <algorithm>
#include <array>
#include <optional>

#include "base/counted.h"
#include "base/spelling.h"
#include "interop/checkpoint_content.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kMostAxes = 16;
constexpr std::size_t kLongestName = 1024;
constexpr int kDeepestWrapping = 2;

/// Where training scripts keep the weights, the usual first.
constexpr std::array<std::string_view, 8> kWrappers{"state_dict", "model_state_dict", "model_state",
                                                    "model",      "module",           "network",
                                                    "net",        "weights"};

bool holds_tensors(const Pickled& pickled, const PickleValue& value) {
  return value.kind == Kind::dict &&
         std::ranges::any_of(pickled.pairs(value),
                             [](const auto& pair) { return pair.second.kind == Kind::tensor; });
}

/// The dict under a wrapper's key that holds tensors, or wraps them once more.
std::optional<std::pair<std::string, PickleValue>> unwrapped(const Pickled& pickled,
                                                             const PickleValue& dict, int depth) {
  if (dict.kind != Kind::dict || depth == kDeepestWrapping) return std::nullopt;
  for (const std::string_view key : kWrappers) {
    const PickleValue* inner = pickled.find(dict, key);
    if (inner == nullptr) continue;
    if (auto deeper = unwrapped(pickled, *inner, depth + 1)) {
      return std::pair(std::string(key) + "." + deeper->first, deeper->second);
    }
    if (holds_tensors(pickled, *inner)) return std::pair(std::string(key), *inner);
  }
  return std::nullopt;
}

[[noreturn]] void refuse_root(const Pickled& pickled) {
  const PickleValue& root = pickled.root;
  if (root.kind == Kind::tensor) throw Error("it is one tensor; expected tensors by name");
  if (root.kind != Kind::dict) throw Error("it is no dict; expected tensors by name");
  std::vector<std::string> keys;
  for (const auto& [key, value] : pickled.pairs(root)) {
    if (keys.size() == 8) break;
    keys.push_back(key.kind == Kind::text ? printable(pickled.text(key), 40) : "?");
  }
  std::vector<std::string> wrappers(kWrappers.begin(), kWrappers.end());
  throw Error("it has no tensors at the top or under " + joined(wrappers) +
              (keys.empty() ? "; it is empty" : "; its keys are " + joined(keys)));
}

/// Throws Error unless all numbers of the view lie within `count` of its storage.
void require_within(const CheckpointTensor& tensor, std::uint64_t count) {
  std::uint64_t end = tensor.offset;  // one past the last number
  bool too_far = false;
  if (std::ranges::find(tensor.shape, 0) == tensor.shape.end()) {
    too_far = __builtin_add_overflow(end, 1, &end);
    for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
      const auto steps = static_cast<std::uint64_t>(tensor.shape[axis] - 1);
      std::uint64_t reach = 0;
      too_far |=
          __builtin_mul_overflow(steps, static_cast<std::uint64_t>(tensor.strides[axis]), &reach);
      too_far |= __builtin_add_overflow(end, reach, &end);
    }
  }
  if (too_far || end > count) {
    throw Error("is " + tensor.shape_text() + " from number " + std::to_string(tensor.offset) +
                " on, beyond the " + counted(count, "number") + " of its storage");
  }
}

CheckpointTensor tensor_of(const Pickled& pickled, const StorageTable& table,
                           const PickledTensor& pickled_tensor) {
  const PickledStorage& view = pickled.storages[pickled_tensor.storage];
  const auto& shape = pickled.sequences[pickled_tensor.shape];
  if (shape.size() > kMostAxes) throw Error("has " + std::to_string(shape.size()) + " axes");
  CheckpointTensor tensor;
  tensor.type = view.type;
  tensor.storage = table.index.find(view.key)->second;
  for (const PickleValue& extent : shape) tensor.shape.push_back(extent.number);
  for (const PickleValue& stride : pickled.sequences[pickled_tensor.strides]) {
    tensor.strides.push_back(stride.number);
  }
  tensor.offset = static_cast<std::uint64_t>(pickled_tensor.offset);
  require_within(tensor, static_cast<std::uint64_t>(view.view_count));
  tensor.offset += static_cast<std::uint64_t>(view.offset);
  return tensor;
}

}  // namespace

StorageTable storages_of(const Pickled& pickled, std::uint64_t file_bytes) {
  StorageTable table;
  for (const PickledStorage& storage : pickled.storages) {
    const std::string name = "storage \"" + printable(storage.key) + "\"";
    const auto count = static_cast<std::uint64_t>(storage.count);
    if (count > file_bytes / static_cast<std::uint64_t>(bytes_of(storage.type))) {
      throw Error(name + " would have " + counted(count, "number") + ", more than the file");
    }
    const auto found = table.index.find(storage.key);
    if (found == table.index.end()) {
      table.index.emplace(storage.key, table.storages.size());
      table.storages.push_back({std::string(storage.key), storage.type, count});
    } else if (const auto& known = table.storages[found->second];
               known.type != storage.type || known.count != count) {
      throw Error(name + " has several types or sizes");
    }
  }
  return table;
}

void take_state_dict(const Pickled& pickled, const StorageTable& table,
                     CheckpointContent& content) {
  PickleValue dict = pickled.root;
  if (auto inner = unwrapped(pickled, dict, 0)) std::tie(content.found_under, dict) = *inner;
  if (!holds_tensors(pickled, dict)) refuse_root(pickled);
  for (const auto& [key, value] : pickled.pairs(dict)) {
    if (key.kind != Kind::text || value.kind != Kind::tensor) continue;
    const std::string name(pickled.text(key).substr(0, kLongestName));
    try {
      CheckpointTensor tensor = tensor_of(pickled, table, pickled.tensors[value.place]);
      if (!content.tensors.emplace(name, std::move(tensor)).second) throw Error("stands twice");
    } catch (const Error& error) {
      throw Error("tensor \"" + printable(name) + "\" " + error.what());
    }
    if (content.tensors.size() > kMostTensors) {
      throw Error("it has more than " + std::to_string(kMostTensors) + " tensors");
    }
  }
}

}  // namespace segmentum
