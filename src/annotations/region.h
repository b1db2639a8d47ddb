// The pixels of one object as spans of rows: what polygons and run lengths become, and what they
// are made of.
#pragma once

#include <cstdint>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// The pixels x0 <= x < x1 of row y.
struct Span {
  int y = 0;
  int x0 = 0;
  int x1 = 0;
  bool operator==(const Span&) const = default;
};

/// Spans by row, from left to right, that neither overlap nor touch: equal regions are equal lists.
using Region = std::vector<Span>;

/// The smallest rectangle y0 <= y < y1, x0 <= x < x1 that holds a region; all 0 for an empty one.
struct RegionBounds {
  int y0 = 0, x0 = 0, y1 = 0, x1 = 0;
  bool operator==(const RegionBounds&) const = default;
};

std::int64_t pixel_count(const Region& region);
RegionBounds bounds_of(const Region& region);

/// Spans in any order, overlapping or not, as a region. Empty spans are dropped. O(n log n).
Region region_of(std::vector<Span> spans);

/// The parts of a region whose pixels hang together by their sides, in the order of their first
/// spans. O(spans).
std::vector<Region> connected_parts(const Region& region);

/// One object in a picture of labels.
struct LabelledObject {
  std::uint16_t label = 0;  // a class, or kIgnoreLabel
  Region region;
};

enum class ObjectRule : std::uint8_t {
  parts,    // the connected parts of each class are its objects
  classes,  // all pixels of a class are one object
};

/// The objects of a picture by class, ignored pixels last. Pixels that `instances` numbers (not 0,
/// not kIgnoreLabel) make an object for each number and class, whatever the rule; an empty map
/// numbers none. Throws Error if the sizes differ. O(pixels + spans).
std::vector<LabelledObject> objects_of(const LabelMap& labels, const LabelMap& instances,
                                       ObjectRule rule);

}  // namespace segmentum
