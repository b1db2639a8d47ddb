#include "base/counted.h"

namespace segmentum {

std::string counted(std::int64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + " " + std::string(noun);
  return count == 1 ? text : text + (noun.ends_with('s') ? "es" : "s");
}

}  // namespace segmentum
