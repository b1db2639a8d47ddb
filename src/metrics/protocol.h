// How well-known benchmarks score, so that a number says by which rules it came about.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "metrics/boundary.h"
#include "metrics/confusion_matrix.h"
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
  /// Other names of each class, in lower case without punctuation; where there are any, classes
  /// whose names stand in another order are an error.
  std::vector<std::vector<std::string>> other_names = {};
  int height = 0, width = 0;  // of every mask; 0: its own
  std::optional<BoundaryTolerance> boundary;
  std::optional<int> interior;        // the class whose cells are told apart (Rand, warping)
  bool thresholds = false;            // also at thresholds of its probability, borders thinned
  std::optional<int> larger_class;    // covers most of the pixels in any such data
  bool objects = false;               // average precision of objects
  std::vector<std::string> reported;  // names of the scores that it is known by, the chief first
};

std::span<const Protocol> protocols();

/// Throws Error that lists the protocols there are.
const Protocol& find_protocol(const std::string& name);

/// Throws Error unless there are as many classes as the protocol scores, and if by their names they
/// stand in another order than in a protocol that knows their names (`other_names`).
void require_classes(const Protocol& protocol, std::span<const ClassInfo> classes);

/// Throws Error unless the protocol is scored at this size of a mask.
void require_size(const Protocol& protocol, int height, int width, const std::string& mask);

/// One line about class names that are not those of the protocol, whatever their case and
/// punctuation; empty where all are.
std::string other_class_names(const Protocol& protocol, std::span<const ClassInfo> classes);

/// One line where the class that should cover most of the labelled pixels covers less than half:
/// masks with 0 and 255 exchanged tell so by nothing else. Empty where all is as it should be.
std::string exchanged_classes(const Protocol& protocol, std::span<const ClassInfo> classes,
                              const Scores& scores);

}  // namespace segmentum
