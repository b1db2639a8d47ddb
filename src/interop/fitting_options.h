// What of a network's settings follows from a checkpoint's names and shapes.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "interop/checkpoint.h"
#include "interop/match.h"
#include "models/registry.h"

namespace segmentum {

/// What the person has said; the rest is to be found.
struct KnownOptions {
  std::map<std::string, std::string> settings;
  std::optional<int> input_channels;
  std::optional<int> classes;
};

struct FittingOptions {
  ModelOptions options;
  std::map<std::string, std::string> found;  // settings that are not the default
  std::optional<int> checkpoint_classes;     // of the checkpoint's logits, where it has them
  Match match;                               // of the network with these options
};

/// Options of `architecture` with which the checkpoint fits best, its names read in each way that
/// they can be (`foreign_names`): the number of classes and of input channels are the extents of
/// those parameters whose shapes follow them, and settings with a choice ("true | false") have the
/// values with which the checkpoint fills the whole network, if there are such. Else a choice other
/// than the default must let more tensors be taken: one that only makes the network smaller would
/// hide what is missing. Throws Error for an unknown architecture or setting.
FittingOptions fitting_options(const Checkpoint& checkpoint, const std::string& architecture,
                               const KnownOptions& known);

}  // namespace segmentum
