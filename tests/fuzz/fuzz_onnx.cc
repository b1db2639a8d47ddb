// libFuzzer: whatever the bytes are, an ONNX file becomes a network or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "read_hostile_onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::read_hostile_onnx({reinterpret_cast<const char*>(data), size});
  return 0;
}
