// Files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace segmentum {

/// The whole file. Throws Error naming the file if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Up to `count` bytes from `offset` on, fewer where the file ends. Throws Error naming the file.
std::string read_file_part(const std::filesystem::path& path, std::int64_t offset,
                           std::int64_t count);

/// Writes `content` to `path` through a temporary file in the same folder: write, fsync, rename.
/// Creates missing folders. Throws Error naming the file; then the old file is untouched.
void write_file(const std::filesystem::path& path, std::string_view content);

/// The same for content of several pieces, written in order without being joined in memory.
void write_file_pieces(const std::filesystem::path& path,
                       const std::vector<std::string_view>& pieces);

/// Gives a file that is on the disk the name `to`, whatever had it before, for good. Throws Error.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace segmentum
