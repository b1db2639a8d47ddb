// libFuzzer: whatever the bytes are, a picture is decoded or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "read_hostile_picture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::read_hostile_picture({reinterpret_cast<const char*>(data), size});
  return 0;
}
