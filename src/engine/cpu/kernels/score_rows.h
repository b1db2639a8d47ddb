// Labels and probabilities straight from a blocked value: what the network does last to its scores,
// magnifying and cutting them, is done row by row in the first cache, and its result is read there.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/layout.h"
#include "engine/resize_taps.h"
#include "graph/regions.h"

namespace segmentum::cpu {

/// How each row and each column of the scores is made of those of a value. Rows are blended before
/// columns, with the arithmetic of `resize_to_plain`: the same bits.
struct ScoreDrawing {
  std::vector<ResizeTap> rows, columns;
  bool magnifies = false;  // else every tap is one source pixel
};

/// Labels of the columns in `x` of one row of picture `n`, as `ScoreRows` has them.
void draw_labels(const View& value, const ScoreDrawing& drawing, std::int64_t n, std::int64_t y,
                 Interval x, std::uint16_t* labels);
/// The same for probabilities, `plane` floats from one class to the next.
void draw_probabilities(const View& value, const ScoreDrawing& drawing, std::int64_t n,
                        std::int64_t y, Interval x, float* values, std::ptrdiff_t plane);

}  // namespace segmentum::cpu
