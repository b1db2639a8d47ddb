// The legend of a data set: which value or colour is which class, as files beside the data say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// One line of a legend.
struct LegendEntry {
  std::uint32_t value = 0;  // its number if `numbered`, else its place in the file, from 0
  bool numbered = false;
  std::string name;
  std::optional<Rgb> colour;
  bool ignore = false;  // named "void", "unlabelled" and the like
};

struct Legend {
  std::filesystem::path file;
  std::vector<LegendEntry> entries;

  bool empty() const { return entries.empty(); }
  bool has_colours() const;
};

/// Reads the text of a legend, or gives none if it is not one. Understood: CSV with a header (id or
/// value, name, r g b or colour), lines "name", "id name", "r g b name", "name r g b" and
/// "name:r,g,b" in any of the usual separators.
std::vector<LegendEntry> parse_legend(std::string_view text);

/// The first of the usual files (classes.csv, classes.txt, labels.txt, class_dict.csv, ...) in
/// `root` that is a legend.
Legend find_legend(const std::filesystem::path& root);

/// The names of the objects in Annotations/*.xml (VOC), sorted; up to 500 files are read.
std::vector<std::string> annotated_names(const std::filesystem::path& root);

/// True for the names of what is no class: void, unlabelled, ignore, don't care.
bool is_ignore_name(std::string_view name);

/// True for the names of what is none of the things that are looked for: background, other, none.
bool is_background_name(std::string_view name);

}  // namespace segmentum
