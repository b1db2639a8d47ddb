// LabelMe's annotations: one JSON file for each picture.
#pragma once

#include <string>
#include <string_view>

#include "annotations/drawing.h"

namespace segmentum {

/// One picture, with its classes in the order in which they first occur. Polygons, rectangles and
/// circles are objects; shapes of one group_id and label are parts of one. Lines, points and shapes
/// of other types are left out with a note. Throws Error.
DrawnSet parse_labelme(std::string_view text);

/// The picture's file, bytes as they were, that LabelMe keeps in its own ("imageData"). Throws
/// Error where there is none or it is no base64.
std::string labelme_picture(std::string_view text);

}  // namespace segmentum
