// libFuzzer: whatever the bytes are, annotations are read or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "read_hostile_annotation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::read_hostile_annotation({reinterpret_cast<const char*>(data), size});
  return 0;
}
