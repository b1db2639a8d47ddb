// Colours that masks hold only because they were drawn with soft edges.
#pragma once

#include <cstdint>
#include <map>

#include "image/codec.h"

namespace segmentum {

/// For each colour 0xRRGGBB of a mask the pixels that lie in a soft edge: along a row or column in
/// at most 8 pixels between two runs of 3 or more, which show several colours, or one between those
/// of the two. A pixel counts once for its row and once for its column. O(H*W).
std::map<std::uint32_t, std::int64_t> blended_pixels(const RawMask& mask);

}  // namespace segmentum
