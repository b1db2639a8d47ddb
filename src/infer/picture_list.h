// Which pictures a person means by files, folders and patterns.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace segmentum {

struct PictureFile {
  std::filesystem::path path;
  std::filesystem::path name;  // relative: below the folder or the fixed part of the pattern given
};

/// The absolute path without links and dots, of a file that need not exist.
std::filesystem::path resolved_path(const std::filesystem::path& path);

/// The pictures that `inputs` name, in their order, each once: a file as it is, whatever its
/// extension; a folder for all the pictures below it, sorted, hidden ones and those in
/// `excluded` (the folder of outputs) left out; a pattern with * ? [ ] for what it matches.
/// Files that do not exist are listed too: opening them tells why.
/// Throws Error if a folder or pattern gives no picture.
std::vector<PictureFile> list_pictures(std::span<const std::string> inputs,
                                       const std::filesystem::path& excluded = {});

}  // namespace segmentum
