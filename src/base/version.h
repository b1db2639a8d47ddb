// Which Segmentum this is.
#pragma once

namespace segmentum {

/// The version of the project that was built: "0.1.0".
const char* segmentum_version();

}  // namespace segmentum
