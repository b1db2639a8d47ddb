// libFuzzer: whatever the numbers are, a CRF gives marginals or an Error says why not.
#include <cstddef>
#include <cstdint>

#include "run_hostile_crf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  segmentum::run_hostile_crf({reinterpret_cast<const char*>(data), size});
  return 0;
}
