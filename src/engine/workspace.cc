#include "engine/executor.h"

namespace segmentum {

float* Workspace::floats(std::int64_t count) {
  if (static_cast<std::int64_t>(memory_.values().size()) < count) {
    memory_ = Tensor();  // never two at once
    memory_ = Tensor({count});
  }
  return memory_.data();
}

}  // namespace segmentum
