// What it means for a picture to be in two splits.
#pragma once

#include <string>

#include "data/check/finding.h"

namespace segmentum {

struct SplitPair {
  std::string learnt;  // the one that is learnt from, or the other's elder
  std::string judged;  // the one that scores are taken on
  Severity severity = Severity::warning;
  std::string consequence;
};

/// test judges more than val, val more than any other split. An error if one is learnt from and the
/// other judges.
SplitPair split_pair(const std::string& a, const std::string& b);

}  // namespace segmentum
