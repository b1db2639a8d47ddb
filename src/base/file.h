// Files that appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {

/// A file or folder that cannot be written: what would be written next would hardly fare better, so
/// batches, which skip a file that cannot be read, end here.
struct WriteError : Error {
  using Error::Error;
};

/// "FILE: cannot DOING: " with the system's words for `problem` (an errno), and what a person can
/// do about it.
[[noreturn]] void throw_write_error(const std::filesystem::path& file, const std::string& doing,
                                    int problem);
[[noreturn]] void throw_read_error(const std::filesystem::path& file, const std::string& doing,
                                   int problem);

/// The whole file. Throws Error naming the file if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Up to `count` bytes from `offset` on, fewer where the file ends. Throws Error naming the file.
std::string read_file_part(const std::filesystem::path& path, std::int64_t offset,
                           std::int64_t count);

/// Writes `content` to `path` through a file in the same folder that nobody sees: write, fsync,
/// rename. Where the system has files without a name, a program that is killed leaves nothing
/// behind, else at most a hidden file (`remove_broken_writes`). Creates missing folders. Throws
/// WriteError naming the file; then the old file is untouched. What is no file on a disk (a pipe, a
/// terminal, anything in /dev) is not replaced but written to.
void write_file(const std::filesystem::path& path, std::string_view content);

/// The same for content of several pieces, written in order without being joined in memory.
void write_file_pieces(const std::filesystem::path& path,
                       const std::vector<std::string_view>& pieces);

/// Gives a file that is on the disk the name `to`, whatever had it before, for good. Throws
/// WriteError.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Creates the folder where it is missing, and tries whether files can be written there: before
/// hours of work. Throws WriteError.
void require_writable_folder(const std::filesystem::path& folder);

/// Removes what killed programs left in a folder when they wrote files. Nobody else may be writing
/// there.
void remove_broken_writes(const std::filesystem::path& folder);

}  // namespace segmentum
