// A network as a table that a person can read.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace segmentum {

/// One line a node: layer, operator with its settings, output size, parameters, multiply-adds,
/// receptive field, output stride; below it the totals and how the network can be tiled.
/// `input` is the shape [N,C,H,W] of the first input; others have the same N, H and W. `meaning`
/// says what such an input is, where it is no picture. Throws Error where sizes cannot work.
std::string describe(const Graph& graph, const Shape& input, const std::string& meaning = "");

/// "1.95 M", "12.4 G", "730": three digits and the thousands as a letter (k, M, G, T).
std::string human_number(std::int64_t number);

/// An operator and the settings that are not its defaults: "conv 64, 3x3, stride 2, no bias, relu".
std::string operator_text(const Operator& op);

}  // namespace segmentum
