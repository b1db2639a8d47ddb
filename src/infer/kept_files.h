// A result must not take the place of what a person gave.
#pragma once

#include <filesystem>
#include <span>

namespace segmentum {

/// Throws Error naming the file if a result would replace an input or another result. Empty paths
/// do not count, nor do results that are there and no plain files (/dev/stdout).
void require_inputs_kept(std::span<const std::filesystem::path> inputs,
                         std::span<const std::filesystem::path> results);

}  // namespace segmentum
