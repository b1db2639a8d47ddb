// A network of the registry as the benchmarks take it from their command lines.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "graph/rewrite.h"
#include "models/registry.h"

namespace segmentum {

struct Architecture {
  std::string name;
  std::vector<std::string> settings;  // NAME=VALUE

  /// The options NETWORK and --set.
  void add_to(CLI::App& app);
  /// Throws Error for names and values that are unknown.
  Graph build(int channels, int classes) const;
};

/// "infer | train"
void add_mode(CLI::App& app, Mode& mode);

/// As it is trained; for inference as it is run, with batch norms folded and "logits" alone.
GraphWithParameters prepared(const Graph& graph, Mode mode);

}  // namespace segmentum
