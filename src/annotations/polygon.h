// Which pixels a polygon covers, and the polygon that covers exactly the pixels of a region.
//
// Coordinates count pixels from the picture's top left corner: pixel (x, y) is the unit square from
// (x, y) to (x + 1, y + 1), its centre (x + 0.5, y + 0.5). A polygon covers the pixels whose
// centres it encloses (even-odd rule: lines to infinity cross its rings an odd number of times). A
// centre on a left or upper edge is inside, one on a right or lower edge is not, so polygons that
// share an edge share no pixel and leave none out. COCO's tools do the same after rounding corners
// to fifths of a pixel.
#pragma once

#include <vector>

#include "annotations/region.h"

namespace segmentum {

struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

/// A closed line; the last point joins the first.
using Ring = std::vector<Point>;
/// What an odd number of its rings enclose: outlines, holes in them, islands in these.
using Polygon = std::vector<Ring>;

/// The pixels that a polygon covers in a picture of this size. Points may lie outside; see
/// checked_point. O(rows that edges cross, with a logarithm); memory goes with the points.
Region fill_polygon(const Polygon& polygon, int height, int width);

/// The boundary of one connected part, along the edges of pixels.
struct Outline {
  Ring outer;               // from its top left corner to the right, so its area is positive
  std::vector<Ring> holes;  // the other way round
};

/// The outlines of a region's connected parts, with corners only. Filling them gives back exactly
/// the region. O(area of the bounds of each part).
std::vector<Outline> trace_outlines(const Region& region);

/// Outlines as one ring that covers the same pixels, for formats without holes or parts: each
/// further ring hangs on a line that runs there and back. O(points * rings).
Ring joined_ring(const std::vector<Outline>& outlines);

/// A point of a file: throws Error unless both coordinates are numbers of at most 1e9.
Point checked_point(double x, double y);

/// A ring from corner to corner, its first one the least of both coordinates.
Ring rectangle(double x0, double y0, double x1, double y1);
/// 72 points on an ellipse.
Ring ellipse(Point centre, double radius_x, double radius_y);

}  // namespace segmentum
