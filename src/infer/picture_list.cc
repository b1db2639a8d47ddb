#include "infer/picture_list.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

std::vector<PictureFile> pictures_below(const fs::path& folder, const fs::path& excluded,
                                        std::vector<fs::path>& foreign) {
  std::vector<PictureFile> files;
  std::error_code code;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    const fs::path& path = entry->path();
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      const bool skipped = hidden(path) || (!excluded.empty() && resolved_path(path) == excluded);
      if (skipped) entry.disable_recursion_pending();
    } else if (!hidden(path) && is_image_file(path)) {
      files.push_back({path, path.lexically_relative(folder)});
    } else if (!hidden(path) && is_foreign_image_file(path)) {
      foreign.push_back(path);
    }
  }
  if (code) throw Error::in_file(folder.string(), "cannot read the folder: " + code.message());
  std::ranges::sort(files, {}, &PictureFile::name);
  return files;
}

bool is_pattern(const std::string& text) {
  return text.find_first_of("*?[") != std::string::npos;
}

/// "data/*/left/x.png" -> "data".
fs::path fixed_part(const fs::path& pattern) {
  fs::path fixed;
  for (const fs::path& part : pattern.parent_path()) {
    if (is_pattern(part.string())) break;
    fixed /= part;
  }
  return fixed;
}

std::vector<PictureFile> pictures_matching(const std::string& pattern) {
  const fs::path base = fixed_part(pattern);
  glob_t found{};
  std::vector<PictureFile> files;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      const fs::path path = found.gl_pathv[i];
      std::error_code code;
      if (!fs::is_directory(path, code)) {
        files.push_back({path, base.empty() ? path : path.lexically_relative(base)});
      }
    }
  }
  ::globfree(&found);
  return files;
}

}  // namespace

fs::path resolved_path(const fs::path& path) {
  std::error_code code;
  fs::path result = fs::weakly_canonical(path, code);
  return code ? path.lexically_normal() : result;
}

std::vector<PictureFile> list_pictures(std::span<const std::string> inputs,
                                       const fs::path& excluded, std::vector<fs::path>* foreign) {
  const fs::path skipped = excluded.empty() ? excluded : resolved_path(excluded);
  std::vector<PictureFile> all;
  std::set<fs::path> seen;
  for (const std::string& input : inputs) {
    std::error_code code;
    std::vector<PictureFile> files;
    if (fs::is_directory(input, code)) {
      std::vector<fs::path> others;
      files = pictures_below(input, skipped, others);
      std::ranges::sort(others);
      if (files.empty()) {
        throw Error::in_file(
            input, others.empty() ? "has no pictures; png, jpg, jpeg, tif and tiff are looked for"
                                  : "has no pictures that can be read: " + left_out_text(others));
      }
      if (foreign) foreign->insert(foreign->end(), others.begin(), others.end());
    } else if (!fs::exists(input, code) && is_pattern(input)) {
      files = pictures_matching(input);
      if (files.empty()) throw Error::in_file(input, "matches no file");
    } else {
      files.push_back({input, fs::path(input).filename()});
    }
    for (PictureFile& file : files) {
      if (seen.insert(resolved_path(file.path)).second) all.push_back(std::move(file));
    }
  }
  return all;
}

void count_pages(std::vector<PictureFile>& pictures) {
  for (PictureFile& picture : pictures) {
    try {
      const int pages = page_count(picture.path);
      picture.stack = pages > 1;
      picture.pages = pages;
      if (pages == 1) continue;
      const ImageSize first = image_size(picture.path);
      for (const int page : {1, pages - 1}) {
        const ImageSize other = image_size(picture.path, page);
        const bool same = other.height == first.height && other.width == first.width;
        picture.stack = picture.stack && same;
      }
    } catch (const Error&) {
      continue;  // reading it tells why
    }
  }
}

std::vector<PictureFile> pages_of(const PictureFile& picture) {
  std::vector<PictureFile> pages;
  for (int page = 0; page < picture.pages; ++page) {
    pages.push_back(picture);
    pages.back().page = page;
    if (picture.pages == 1) continue;
    pages.back().name.replace_filename(fmt::format("{}_{:03}{}", picture.name.stem().string(), page,
                                                   picture.name.extension().string()));
  }
  return pages;
}

}  // namespace segmentum
