// Which losses a training adds up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segmentum {

enum class LossKind : std::uint8_t {
  cross_entropy,
  focal,     // cross entropy that forgets what is sure
  dice,      // of each class, from its probabilities
  tversky,   // the same, with prices of their own for what is missed and what is invented
  lovasz,    // Lovász-softmax: of each class, what its IoU loses
  boundary,  // probabilities times the distance from the true border
  ohem,      // cross entropy of hard pixels
  top_k,     // cross entropy of the hardest pixels
};

struct LossTerm {
  LossKind kind = LossKind::cross_entropy;
  double weight = 1;
  bool operator==(const LossTerm&) const = default;
};
using LossTerms = std::vector<LossTerm>;

/// "cross_entropy", "cross_entropy+dice", "0.5*focal+0.01*boundary". Throws Error that says what
/// was expected and lists the kinds.
LossTerms parse_loss(std::string_view text);

/// The text that `parse_loss` reads back.
std::string loss_text(const LossTerms& terms);

}  // namespace segmentum
