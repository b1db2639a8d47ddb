// YOLO's polygons: one text file for each picture, numbers relative to its size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "annotations/drawing.h"

namespace segmentum {

/// The names in a data.yaml: "names: [a, b]", or a list of "- a" or "0: a" lines below "names:".
/// Throws Error where there are none.
std::vector<std::string> parse_yolo_names(std::string_view text);

/// The objects of a picture of this size; each line is "class x y x y x y ...". Throws Error "line
/// 3: ..." for boxes, which are no outlines, and for a class without a name.
std::vector<DrawnObject> parse_yolo(std::string_view text, const std::vector<std::string>& names,
                                    int height, int width);

}  // namespace segmentum
