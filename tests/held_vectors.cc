// Linked into test programs: with SEGMENTUM_TEST_VECTORS=avx2 or sse4 our kernels and oneDNN's run
// as on a processor that has nothing newer.
#include <hwy/targets.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

/// Of x86 alone: elsewhere there is nothing to hold.
[[maybe_unused]] const bool held = [] {
  const char* variable = std::getenv("SEGMENTUM_TEST_VECTORS");
  if (variable == nullptr) return false;
  const std::string_view vectors = variable;
  // The newer an instruction set of x86, the lower its bit.
  const std::int64_t newest = vectors == "avx2" ? HWY_AVX2 : vectors == "sse4" ? HWY_SSE4 : 0;
  if (newest == 0) std::abort();
  setenv("ONEDNN_MAX_CPU_ISA", vectors == "avx2" ? "AVX2" : "SSE41", 1);
#if HWY_ARCH_X86
  hwy::DisableTargets(newest - 1);
#endif
  return true;
}();

}  // namespace
