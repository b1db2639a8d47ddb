// GeoJSON in pixels, as QuPath and other viewers of large pictures read and write it.
#pragma once

#include <string_view>

#include "annotations/drawing.h"

namespace segmentum {

/// One picture: Polygon and MultiPolygon features, with holes; x and y are pixels from the top left
/// corner. The class is properties.classification.name, or properties.class, label or name.
/// "image", "height" and "width" may stand at the top, as our own files have them. Throws Error.
DrawnSet parse_geojson(std::string_view text);

}  // namespace segmentum
