// Resizing from blocks of channels to plain layout: the last step of most networks, and one that
// writes more than all others.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/layout.h"
#include "engine/resize_taps.h"
#include "graph/operators.h"

namespace segmentum::cpu {

/// Results [begin, end) of one axis that lie between the same two source pixels.
struct ResizeRun {
  std::int64_t begin = 0, end = 0;
  std::int64_t first = 0, second = 0;
};
struct ResizeRuns {
  std::vector<ResizeRun> runs;
  std::vector<float> weights;  // of `second`, one for each result
};
ResizeRuns resize_runs(const std::vector<ResizeTap>& taps);

/// What a source row gave to a row of the result.
struct RowShare {
  std::int64_t row = 0;  // of the result
  float weight = 0;
};
/// For each of `sources` rows, in the order of the results.
std::vector<std::vector<RowShare>> row_shares(const std::vector<ResizeTap>& taps,
                                              std::int64_t sources);

/// y is plain. Rows are blended before columns: rounding differs from `resize`.
void resize_to_plain(const View& x, Interpolation mode, bool align_corners, const View& y);
/// dy is plain.
void resize_backward_from_plain(const View& dy, Interpolation mode, bool align_corners,
                                const View& dx, bool add);

}  // namespace segmentum::cpu
