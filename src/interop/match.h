// A checkpoint held against a network, name by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "interop/checkpoint.h"

namespace segmentum {

/// A tensor on the network's side, the checkpoint's, or both; shapes as "64x3x7x7", with the type
/// of numbers that are no weights: "64x3x7x7 int8".
struct Mismatch {
  std::string name;
  std::string network;     // empty: the network has no such parameter
  std::string checkpoint;  // empty: the checkpoint has no such tensor
};

struct Match {
  std::vector<std::string> taken;    // same name, same shape, or adapted
  std::vector<std::string> adapted;  // among them: first convolutions of other input channels
  std::vector<Mismatch> missing;     // of the network, not in the checkpoint
  std::vector<Mismatch> unexpected;  // of the checkpoint, not in the network
  std::vector<Mismatch> misshapen;

  bool fits() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  std::size_t problems() const { return missing.size() + unexpected.size() + misshapen.size(); }
};

/// Compares names, shapes and types; no numbers are read. `num_batches_tracked`, which PyTorch
/// counts and nobody uses, is left out.
Match match(const Checkpoint& checkpoint, const Graph& graph);

/// What does not fit, the network on the left, the checkpoint on the right: first what has one name
/// but two shapes, then missing beside unexpected, of each at most `rows` with a count of the rest.
std::string mismatch_table(const Match& match, std::size_t rows = 12);

/// "3 missing, 1 unexpected, 0 misshapen".
std::string mismatch_counts(const Match& match);

/// The parameters of `graph`: those of `match.taken` from the checkpoint, the others as
/// `initialise(graph, seed)` makes them. A first convolution of N channels made from one of C takes
/// w[:, i % C] * C / N: for C = 3, N = 1 the sum over RGB. Throws Error naming the file for tensors
/// that cannot be read or hold numbers that are not finite.
ParameterStore matched_parameters(const Checkpoint& checkpoint, const Graph& graph,
                                  const Match& match, std::uint64_t seed);

}  // namespace segmentum
