// Boxes from a file, as detectors and annotators write them.
//
// JSON: a list, or an object whose "boxes" is one, of
//     {"image": "a.jpg", "box": [x0, y0, x1, y1], "score": 0.9, "class": "nut"}
//   score and class may be missing; so may image where the object around the list has it, as in the
//   files that `segmentum predict --boxes` writes.
// CSV: a header line with image, x0, y0, x1, y1 and perhaps score, class, in any order; a box a
// line. XML: VOC annotations, one file for each picture, or a folder of them. A bndbox counts
// pixels from 1
//   and includes its last: it becomes [xmin - 1, ymin - 1, xmax, ymax).
// All others are [x0, y0, x1, y1) in the picture's pixels.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/box.h"

namespace segmentum {

struct ListedBox {
  Box box;
  std::optional<double> score;
  std::string class_name;  // empty: not given
};

class BoxFile {
 public:
  /// A file or a folder of XML files. Throws Error naming the file, and the box in it, for what is
  /// none: a missing number, NaN, an empty box, a score that is no number.
  static BoxFile read(const std::filesystem::path& path);

  /// The boxes of a picture in the file's order. The file may name it by any end of its path ("a",
  /// "a.jpg", "val/a.jpg"); the longest one counts. None is an empty list.
  const std::vector<ListedBox>& of(const std::filesystem::path& picture) const;

  const std::filesystem::path& path() const { return path_; }
  /// By the name in the file.
  const std::map<std::string, std::vector<ListedBox>>& pictures() const { return pictures_; }

 private:
  std::filesystem::path path_;
  std::map<std::string, std::vector<ListedBox>> pictures_;
};

}  // namespace segmentum
