// libFuzzer: whatever the bytes are, a model file is loaded or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "read_hostile_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::read_hostile_model({reinterpret_cast<const char*>(data), size});
  return 0;
}
