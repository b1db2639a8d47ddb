// Whether upsampling treats all its output pixels alike: where it does not, a checkerboard shows.
// Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"

namespace segmentum {

/// What a transposed convolution or a resize does in each phase of its stride, away from borders.
/// Phase (y, x) is that of all output pixels whose row is y and whose column is x modulo `phases`;
/// the lists hold phases.h * phases.w entries, row by row.
struct UpsamplingPhases {
  std::string node;
  Size2 phases;  // the stride, or the factor where sizes divide; 1 where only the sizes tell
  /// How many pixels of the input reach an output pixel of this phase: the overlap count map.
  std::vector<int> overlap;
  /// How strongly an output pixel of this phase answers to an input that is constant over space:
  /// root mean square over output channels, where the input's channels are independent and of
  /// variance 1. With A_p(o,i) the sum of the weights from channel i to o that meet in phase p,
  /// sqrt(sum_oi A_p(o,i)^2 / output channels); for one channel, |sum of the weights|. 1 in all
  /// phases of a resize, whose weights sum to one. Empty for a transposed convolution without
  /// parameters.
  std::vector<double> response;
  /// The part of that answer that changes from phase to phase, 0 to 1: with M the mean of the A_p,
  /// sqrt(sum_p |A_p - M|^2 / sum_p |A_p|^2). 0: a constant gives a constant.
  double unevenness = 0;

  bool overlaps_evenly() const;
};

/// For every transposed convolution with a stride and every magnification, in the graph's order.
/// With `parameters` also the response of their weights. Throws Error if one is missing.
std::vector<UpsamplingPhases> upsampling_phases(const Graph& graph,
                                                const ParameterStore* parameters = nullptr);

/// The same as a table that a person can read; empty where nothing is upsampled. Where phases
/// differ and are at most 4x4 the map of them stands below the line.
std::string upsampling_table(const std::vector<UpsamplingPhases>& phases);

}  // namespace segmentum
