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
  int page = 0;                // of a file that holds several pictures, from 0
  int pages = 1;               // that it holds; `list_pictures` does not look
  bool stack = false;          // they are of one size
};

/// The absolute path without links and dots, of a file that need not exist.
std::filesystem::path resolved_path(const std::filesystem::path& path);

/// The pictures that `inputs` name, in their order, each once: a file as it is, whatever its
/// extension; a folder for all the pictures below it, sorted, hidden ones and those in
/// `excluded` (the folder of outputs) left out; a pattern with * ? [ ] for what it matches.
/// Files that do not exist are listed too: opening them tells why.
/// Throws Error if a folder or pattern gives no picture. `foreign` gets the files below folders
/// whose extensions are of pictures that are not read (`is_foreign_image_file`).
std::vector<PictureFile> list_pictures(std::span<const std::string> inputs,
                                       const std::filesystem::path& excluded = {},
                                       std::vector<std::filesystem::path>* foreign = nullptr);

/// How many pictures each file holds, and whether they are a stack: the first, the second and the
/// last of one size. 1 where it cannot be read.
void count_pages(std::vector<PictureFile>& pictures);

/// One for each page, named as `segmentum convert` names them: a_000.tif, a_001.tif, ... of a.tif.
std::vector<PictureFile> pages_of(const PictureFile& picture);

}  // namespace segmentum
