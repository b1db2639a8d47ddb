// How well-known benchmarks score, so that a number says by which rules it came about.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/boundary.h"
#include "segmentum/classes.h"

namespace segmentum {

/// A named way to score. What it does not fix is as everywhere: ignored pixels count nowhere,
/// counts are summed over the split before anything is divided.
struct Protocol {
  std::string name;   // as in --protocol
  std::string about;  // one line: what it fixes
  std::string source;
  int classes = 0;                       // exactly so many, background among them
  std::vector<std::string> class_names;  // in order; empty: not checked
  int height = 0, width = 0;             // of every mask; 0: its own
  std::optional<BoundaryTolerance> boundary;
  std::optional<int> interior;        // the class whose cells are told apart (Rand, warping)
  bool objects = false;               // average precision of objects
  std::vector<std::string> reported;  // names of the scores that it is known by, the chief first
};

std::span<const Protocol> protocols();

/// Throws Error that lists the protocols there are.
const Protocol& find_protocol(const std::string& name);

/// Throws Error unless there are as many classes as the protocol scores.
void require_classes(const Protocol& protocol, std::span<const ClassInfo> classes);

/// Throws Error unless the protocol is scored at this size of a mask.
void require_size(const Protocol& protocol, int height, int width, const std::string& mask);

/// One line about class names that are not those of the protocol, whatever their case and
/// punctuation; empty where all are.
std::string other_class_names(const Protocol& protocol, std::span<const ClassInfo> classes);

}  // namespace segmentum
