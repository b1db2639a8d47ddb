// CVAT's annotations of pictures ("CVAT for images 1.1"): one XML file.
#pragma once

#include <string_view>

#include "annotations/drawing.h"

namespace segmentum {

/// Polygons, masks, boxes and ellipses (with their rotation) are objects, painted by their z_order;
/// those of one group_id
/// are parts of one. Polylines, points, cuboids and skeletons are left out with a note. The classes
/// are the task's labels where the file lists them. Throws Error.
DrawnSet parse_cvat(std::string_view text);

}  // namespace segmentum
