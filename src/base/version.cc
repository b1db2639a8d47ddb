#include "base/version.h"

namespace segmentum {

const char* segmentum_version() {
  return SEGMENTUM_VERSION;
}

}  // namespace segmentum
