// COCO's run lengths: the pixels of an object by columns, as counts of pixels without and with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "annotations/region.h"

namespace segmentum {

/// Columns from left to right, each from top to bottom: `counts[0]` pixels outside of the object
/// (perhaps 0), counts[1] inside, and so on to the last pixel. COCO: "size": [height, width].
struct RunLengths {
  int height = 0;
  int width = 0;
  std::vector<std::int64_t> counts;
  bool operator==(const RunLengths&) const = default;
};

/// The region must lie in the picture. O(area of the region's bounds).
RunLengths encode_runs(const Region& region, int height, int width);

/// Throws Error unless the counts are 0 or more and cover exactly the picture. O(area of
/// the region's bounds).
Region decode_runs(const RunLengths& runs);

/// COCO's compressed counts: each count from the fourth on less the one two before it, as digits
/// of 6 bits ('0' to 'o') with five bits of the number, least ones first, and one that says that
/// more follow.
std::string counts_text(const std::vector<std::int64_t>& counts);
/// Throws Error for text that is none.
std::vector<std::int64_t> counts_of_text(std::string_view text);

}  // namespace segmentum
