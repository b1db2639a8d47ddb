// Divides samples at random, by groups, always the same way for the same seed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// How much goes where; the rest is "train".
struct SplitShares {
  double val = 0.2;
  double test = 0;
};

/// Divides `samples` into "train", "val" and, if it has a share, "test". Samples of one group stay
/// together, so shares are only met as closely as the groups allow; every part with a share gets
/// something, and "train" does, while there are enough groups. The order inside the parts is that
/// of `samples`. Follows from the samples' order, groups and the seed alone.
std::map<std::string, std::vector<Sample>> divide_samples(const std::vector<Sample>& samples,
                                                          const SplitShares& shares,
                                                          std::uint64_t seed);

}  // namespace segmentum
