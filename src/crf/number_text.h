// Numbers in messages.
#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace segmentum {

/// As %g writes it, so that what is nearly nothing does not read as 0.000000.
inline std::string number_text(float value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", static_cast<double>(value));
  return text.data();
}

}  // namespace segmentum
