// Every architecture, small, with the settings that change its structure.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

struct NetworkCase {
  const char* name;
  const char* architecture;
  std::map<std::string, std::string> settings;
};

const std::vector<NetworkCase>& network_cases();
std::ostream& operator<<(std::ostream& out, const NetworkCase& tested);

/// The network, of 3 channels and 5 classes.
Graph graph_of(const NetworkCase& tested);

}  // namespace segmentum
