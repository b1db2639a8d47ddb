// The parts of a network: groups of parameters that are frozen, learnt slowly or replaced together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// The part that a parameter or a node belongs to: the first word of its name, "encoder" of
/// "encoder.0.conv1.weight". VGG's published names have no such word: "conv3_2.weight" and
/// "bn3_2.bias" are of the "backbone".
std::string part_of(std::string_view name);

/// The parts of all parameters, each once, in their order in the graph.
std::vector<std::string> parts_of(const Graph& graph);

/// Whether `pattern` means the parameter `name`. A pattern is a part ("backbone"), the first words
/// of a name ("encoder.0", "decoder.1.conv2"), or a whole name with * for any letters and ? for
/// one ("*.bias", "encoder.?.conv*").
bool matches_pattern(std::string_view pattern, std::string_view name);

/// The words of "backbone, encoder.0": separated by commas or spaces.
std::vector<std::string> pattern_list(std::string_view text);

/// The names of the graph's learnt parameters that `pattern` means. Throws Error, telling the parts
/// there are, if there are none.
std::vector<std::string> parameters_matching(const Graph& graph, const std::string& pattern);

}  // namespace segmentum
