// A graph as text: what model files hold, and what a person can read, compare and edit.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace segmentum {

/// One node a line, stable for one graph. A node is {"name", "op", "inputs": names, its settings};
/// settings that have their default value are left out, and so are a node's parameters where they
/// are called NAME.weight and so on. The parameters' shapes, roles and order (of first use) follow
/// from the nodes. Throws Error if a name is not UTF-8.
std::string to_json(const Graph& graph);

/// Reads what `to_json` writes, from any source: unknown operators and fields, doubled keys, wrong
/// types and settings out of range are Errors naming the node. The result is validated.
Graph graph_from_json(std::string_view text);

}  // namespace segmentum
