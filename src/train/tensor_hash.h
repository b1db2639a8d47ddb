// SHA-256 of tensors, so that whoever has two files knows whether they hold the same numbers.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "model_file/safetensors.h"

namespace segmentum {

/// Of names, types, shapes and numbers, in the order of names; of those tensors of a safetensors
/// file whose names begin with one of `prefixes`. Throws Error naming the file.
std::string tensors_sha256(const std::filesystem::path& file,
                           std::span<const std::string> prefixes);

/// The same of tensors as they would stand in a file, all of them.
std::string tensors_sha256(std::span<const NamedTensor> tensors);

}  // namespace segmentum
