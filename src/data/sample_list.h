// List files ("image mask [instances]" on each line), and the names of samples.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// One line of a list file that is neither empty nor a comment (#).
struct ListLine {
  int number = 0;                   // from 1
  std::vector<std::string> fields;  // at least one
};

/// The fields of each line: separated by tab, comma or semicolon where a line has one, else by
/// spaces; "double quotes" keep spaces and separators inside a field.
std::vector<ListLine> parse_list(std::string_view text);

/// How names become paths: "{}" stands for the name, as in "JPEGImages/{}.jpg".
struct PathPatterns {
  std::string image;
  std::string mask;

  bool empty() const { return image.empty(); }
  bool operator==(const PathPatterns&) const = default;
};

/// `pattern` with "{}" replaced by `name`.
std::string fill_pattern(const std::string& pattern, const std::string& name);

/// The name that `pattern` turns into `path`, or an empty one if none does.
std::string match_pattern(const std::string& pattern, const std::string& path);

/// The samples of a list file. A line is "image mask [instances]"; a line of one field is a name if
/// there are patterns, else a picture without mask. A third field counts if it ends as files of
/// pictures do; what follows does not.
std::vector<Sample> samples_of_list(const std::vector<ListLine>& lines,
                                    const PathPatterns& patterns);

/// Gives each sample the shortest name that no other one of these has: the picture's stem, else its
/// path without extension, else its path. Throws Error for a picture that is there twice.
void name_samples(std::vector<Sample>& samples);

}  // namespace segmentum
