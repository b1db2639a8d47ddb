// Which values dropout keeps: one rule for every engine, so that all make the same masks.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "base/random.h"

namespace segmentum {

/// The mask of one dropout node in one run. Value `i` of the node (its place in NCHW order, over
/// the whole batch) is kept where word i % 4 of the Philox block with key {seed low, seed high} and
/// counter {i/4 low, i/4 high, node, step} is at least rate * 2^32. `node` is the ValueId in the
/// graph that the plan was made for.
class DropoutMask {
 public:
  DropoutMask(std::uint64_t seed, std::uint32_t step, int node, float rate)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        node_(static_cast<std::uint32_t>(node)),
        step_(step),
        threshold_(static_cast<std::uint64_t>(std::ceil(double{rate} * 0x1p32))),
        scale_(1 / (1 - rate)) {}

  /// For the values 4 * block ... 4 * block + 3: which of them are kept.
  std::array<bool, 4> kept(std::uint64_t block) const {
    const auto words = philox(
        {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), node_, step_},
        key_);
    return {keeps(words[0]), keeps(words[1]), keeps(words[2]), keeps(words[3])};
  }
  bool keeps(std::uint32_t word) const { return word >= threshold_; }

  const std::array<std::uint32_t, 2>& key() const { return key_; }
  std::uint32_t node() const { return node_; }
  std::uint32_t step() const { return step_; }
  /// What kept values are multiplied by: 1 / (1 - rate).
  float scale() const { return scale_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t node_;
  std::uint32_t step_;
  std::uint64_t threshold_;
  float scale_;
};

}  // namespace segmentum
