// What a report says about the network that was scored.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace segmentum {

struct Model;

struct ModelFacts {
  std::string architecture;
  std::map<std::string, std::string> settings;  // of the architecture
  std::int64_t parameters = 0;                  // learnt numbers; no running statistics
  std::map<std::string, std::string> provenance;
};

ModelFacts facts_of(const Model& model);

}  // namespace segmentum
