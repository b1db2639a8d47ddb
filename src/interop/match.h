// A checkpoint held against a network, name by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "interop/checkpoint.h"
#include "interop/foreign_names.h"

namespace segmentum {

/// A tensor on the network's side, the checkpoint's, or both; shapes as "64x3x7x7", with the type
/// of numbers that are no weights: "64x3x7x7 int8".
struct Mismatch {
  std::string name;
  std::string network;      // empty: the network has no such parameter
  std::string checkpoint;   // empty: the checkpoint has no such tensor
  std::string called = "";  // of one that is misshapen: by the checkpoint
};

struct Match {
  std::vector<std::string> taken;    // same shape under the name looked for, or adapted
  std::vector<std::string> adapted;  // among them: first convolutions of other input channels
  std::vector<Mismatch> missing;     // of the network, not in the checkpoint
  std::vector<Mismatch> unexpected;  // of the checkpoint, not in the network
  std::vector<Mismatch> misshapen;
  std::map<std::string, ForeignTensor> renamed;  // of those taken, what others call otherwise

  std::string whose;            // ForeignNames::whose: how the names were read
  bool backbone_alone = false;  // of a classifier: the lists above are about the backbone
  std::vector<std::string> beyond_backbone;  // then: the network's other parameters
  std::vector<std::string> left;             // then: the classifier's own tensors

  bool fits() const { return is_filled() && unexpected.empty(); }
  /// Nothing that was compared has to be initialised.
  bool is_filled() const { return missing.empty() && misshapen.empty(); }
  std::size_t problems() const { return missing.size() + unexpected.size() + misshapen.size(); }
};

/// Compares names, shapes and types; no numbers are read. `num_batches_tracked`, which PyTorch
/// counts and nobody uses, is left out. Where `names` are a classifier's, the backbone alone is
/// compared.
Match match(const Checkpoint& checkpoint, const Graph& graph,
            const ForeignNames& names = ForeignNames::ours());

/// What does not fit, the network on the left, the checkpoint on the right: first what has one name
/// but two shapes, then missing beside unexpected, of each at most `rows` with a count of the rest.
std::string mismatch_table(const Match& match, std::size_t rows = 12);

/// "3 missing, 1 unexpected, 0 misshapen".
std::string mismatch_counts(const Match& match);

/// The parameters of `graph`: those of `match.taken` from the checkpoint, the others as
/// `initialise(graph, seed)` makes them. First convolutions are adapted as `adapt_input_channels`
/// does it. Throws Error naming the file for tensors
/// that cannot be read or hold numbers that are not finite.
ParameterStore matched_parameters(const Checkpoint& checkpoint, const Graph& graph,
                                  const Match& match, std::uint64_t seed);

}  // namespace segmentum
