// Counts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segmentum {

/// "1 picture", "0 pictures", "2 classes".
std::string counted(std::int64_t count, std::string_view noun);
template <typename Count>
std::string counted(Count count, std::string_view noun) {
  return counted(static_cast<std::int64_t>(count), noun);
}

}  // namespace segmentum
