// Graphs that every engine must run as the reference does: each operator alone on awkward sizes,
// and small networks where they meet.
#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace segmentum {

struct EngineCase {
  std::string name;  // letters, digits and underscores: it names a parametrised test
  Graph graph;
  std::vector<Shape> inputs;
  /// Inputs whose gradient leaves out what a mean field reads of a picture.
  std::set<int> partial_gradients = {};
};

/// All cases, in a fixed order. Odd sizes, batches of 1 to 3, channels that are no multiples of 8.
std::vector<EngineCase> engine_cases();
/// Those of them with a batch norm: for runs with its statistics frozen.
std::vector<EngineCase> batch_norm_cases();

std::ostream& operator<<(std::ostream& out, const EngineCase& engine_case);

}  // namespace segmentum
