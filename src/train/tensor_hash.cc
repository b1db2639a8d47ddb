#include "train/tensor_hash.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/file.h"
#include "base/sha256.h"

namespace segmentum {
namespace {

void add(Sha256& hash, const std::string& name, std::string_view type, const Shape& shape,
         std::string_view bytes) {
  hash.add(name + ' ' + std::string(type) + ' ' + shape.to_string() + '\n').add(bytes);
}

void add(Sha256& hash, const NamedTensor& tensor) {
  constexpr std::string_view kTypes[] = {"F32", "F64", "I64"};
  std::visit(
      [&](const auto& view) {
        const auto values = view.values();
        add(hash, tensor.name, kTypes[tensor.values.index()], view.shape,
            {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
      },
      tensor.values);
}

}  // namespace

std::string tensors_sha256(const std::filesystem::path& file,
                           std::span<const std::string> prefixes) {
  const auto counts = [&](const std::string& name) {
    return std::ranges::any_of(prefixes,
                               [&](const std::string& prefix) { return name.starts_with(prefix); });
  };
  const SafetensorsReader reader(file);
  Sha256 hash;
  for (const auto& [name, entry] : reader.tensors()) {
    if (!counts(name)) continue;
    add(hash, name, entry.type, entry.shape,
        read_file_part(file, static_cast<std::int64_t>(entry.offset),
                       static_cast<std::int64_t>(entry.bytes)));
  }
  return hash.digits();
}

std::string tensors_sha256(std::span<const NamedTensor> tensors) {
  std::map<std::string, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : tensors) by_name[tensor.name] = &tensor;
  Sha256 hash;
  for (const auto& [name, tensor] : by_name) add(hash, *tensor);
  return hash.digits();
}

}  // namespace segmentum
