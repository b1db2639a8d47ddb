// From the run-time block of a view to a compile-time one.
#pragma once

#include <type_traits>

namespace segmentum::cpu {

/// Calls body(std::integral_constant<int, B>) for B = block, one of 1, 8 and 16.
template <typename Body>
inline __attribute__((always_inline)) void with_block(int block, const Body& body) {
  if (block == 16) {
    body(std::integral_constant<int, 16>{});
  } else if (block == 8) {
    body(std::integral_constant<int, 8>{});
  } else {
    body(std::integral_constant<int, 1>{});
  }
}

}  // namespace segmentum::cpu
