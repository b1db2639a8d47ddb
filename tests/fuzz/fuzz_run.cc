// libFuzzer: whatever the bytes are, a file of a run is read or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "read_hostile_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::read_hostile_run({reinterpret_cast<const char*>(data), size});
  return 0;
}
