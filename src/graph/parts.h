// The parts of a network: groups of parameters that are frozen, learnt slowly or replaced together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// The part that a parameter or a node belongs to: the first word of its name, "encoder" of
/// "encoder.0.conv1.weight". VGG's published names have no such word: "conv3_2.weight" and
/// "bn3_2.bias" are of the "backbone".
std::string part_of(std::string_view name);

/// Whether `pattern` means the parameter `name`. A pattern is a part ("backbone"), the first words
/// of a name ("encoder.0", "decoder.1.conv2"), or a whole name with * for any letters and ? for
/// one ("*.bias", "encoder.?.conv*").
bool matches_pattern(std::string_view pattern, std::string_view name);

/// The parts of a network, and two more that nearly every network has: where no part is called
/// "backbone", it is "features" or "encoder", for which there are a classifier's weights; where no
/// part is called "head", it is all that is not backbone.
class Parts {
 public:
  /// Of a network with these parameters.
  explicit Parts(const std::vector<std::string>& parameters);
  explicit Parts(const Graph& graph);

  /// Each once, in the order of the parameters.
  const std::vector<std::string>& names() const { return names_; }
  /// How exactly `pattern` means the parameter `name`: its letters where it matches; 0 for
  /// "backbone" and "head" of a network without parts of these names; none where it does not mean
  /// it.
  std::optional<std::size_t> exactness(std::string_view pattern, std::string_view name) const;

 private:
  bool has(std::string_view part) const;

  std::vector<std::string> names_;
  std::string backbone_;  // the part that is it; empty where none is
};

/// The words of "backbone, encoder.0": separated by commas or spaces.
std::vector<std::string> pattern_list(std::string_view text);

/// The names of the graph's learnt parameters that `pattern` means. Throws Error, telling the parts
/// there are, if there are none.
std::vector<std::string> parameters_matching(const Graph& graph, const std::string& pattern);

}  // namespace segmentum
