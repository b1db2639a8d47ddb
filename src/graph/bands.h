// A network that takes a picture band by band, from its top to its bottom, and computes every row
// of every value once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/regions.h"

namespace segmentum {

/// An op::Pad whose rows above its input are no zeros but the last rows that the pad itself held
/// in the run before: a later band reads again what an earlier one made. Rows beyond the value's
/// own first and last are zeros, as a convolution's padding is.
struct CarriedRows {
  ValueId pad = -1;
  std::int64_t first = 0;   // which row of the whole value the pad's first row is, in band 0
  std::int64_t each = 0;    // rows that a band adds: those of the pad's input
  std::int64_t height = 0;  // of the whole value
};

struct BandedGraph {
  Graph graph;  // one output: `rows` rows of the wanted columns
  std::vector<CarriedRows> carried;
  std::int64_t rows = 0;
  Region input;               // of the picture, for band 0; band b reads b * `rows` further down
  std::int64_t height = 0;    // rows of the picture; those above it and below it are zeros, but for
  std::int64_t mirrored = 0;  // so many below it, which are its last ones mirrored, the edge once
  /// Before the first band that is wanted so many must have run; what they give is nothing. Before
  /// band 0 fewer, since there is nothing above the picture.
  std::int64_t before = 0;
  std::int64_t before_first = 0;
  std::int64_t before_band(std::int64_t band) const {
    return std::min(before, before_first + band);
  }
};

/// The network that makes the `columns` of `output` in bands: band b the rows b * `rows` to
/// (b + 1) * `rows` - 1, the last one more than there are. What a band needs of rows that an
/// earlier band has made is carried over, so nothing is computed twice but at both sides of the
/// columns. On an engine of `grid` that carries rows (`PlanOptions::carried`) the numbers are those
/// of the whole picture, bit for bit, as with `restricted`.
/// None where `restricted` gives none, where `rows` is no multiple of all strides and groups, and
/// for operators whose borders are no zeros or that engines join with their neighbours: bilinear
/// resizing, pooling of windows that overlap, depthwise convolutions. O(nodes).
std::optional<BandedGraph> in_bands(const Graph& graph, const Shape& picture,
                                    const std::string& output, Interval columns, std::int64_t rows,
                                    const ConvolutionGrid& grid = {});

/// The least `rows` of which multiples may work; 0: none does.
std::int64_t band_unit(const Graph& graph, const std::string& output, const ConvolutionGrid& grid);

}  // namespace segmentum
