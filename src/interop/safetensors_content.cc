// Foreign safetensors files, by the strict header reader of our own model files.
#include <cstring>

#include "interop/checkpoint_content.h"
#include "model_file/safetensors_header.h"
#include "segmentum/error.h"

namespace segmentum {

CheckpointContent read_safetensors(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) throw Error("is cut short: it has no header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length) {
    throw Error("is cut short: its header takes " + std::to_string(length) + " bytes, the file " +
                std::to_string(bytes.size()));
  }
  const std::uint64_t begin = sizeof length + length;
  const SafetensorsHeader header =
      parse_safetensors_header(bytes.substr(sizeof length, length), begin, bytes.size() - begin);
  CheckpointContent content{.format = "safetensors"};
  std::vector<std::string_view> storages;
  for (const auto& [name, entry] : header.tensors) {
    CheckpointTensor tensor{.type = type_of_safetensors(entry.type), .storage = storages.size()};
    std::uint64_t stride = 1;  // may wrap where the tensor is empty, and is not used there
    for (int axis = entry.shape.rank(); axis-- > 0;) {
      tensor.shape.insert(tensor.shape.begin(), entry.shape[axis]);
      tensor.strides.insert(tensor.strides.begin(), static_cast<std::int64_t>(stride));
      stride *= static_cast<std::uint64_t>(entry.shape[axis]);
    }
    storages.push_back(bytes.substr(entry.offset, entry.bytes));
    content.tensors.emplace(name, std::move(tensor));
  }
  content.storage_bytes = [storages = std::move(storages)](std::size_t storage) {
    return storages[storage];
  };
  return content;
}

}  // namespace segmentum
