// Borders between cells made one pixel thin, so that scores of cells do not go by their thickness.
#pragma once

#include <cstdint>
#include <span>

#include "segmentum/image.h"

namespace segmentum {

/// Grows segments into the pixels that are in none, all at the same pace and a step to one of four
/// neighbours at a time, until what is left between two of them is a line of one pixel. `segments`
/// holds the segment of each pixel, row by row, or kNoSegment; no two of them may be neighbours (of
/// four), as is so for what `segments_of` returns, and none will be.
///
/// This is the watershed of the binary picture of borders: segments are neither joined nor cut nor
/// lost; ends of borders that separate nothing, and specks of border inside a segment, vanish.
/// Of two pixels that might be the line, it is the one that is reached later. Pixels that `truth`
/// ignores stay as they are and are not crossed. Throws Error if the sizes differ. O(H*W).
void thin_borders(std::span<std::int32_t> segments, const LabelMap& truth);

}  // namespace segmentum
