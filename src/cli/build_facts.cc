#include "cli/build_facts.h"

#include <fmt/format.h>
#include <hwy/targets.h>
#include <oneapi/dnnl/dnnl.h>

#include <fstream>

#include "base/file.h"

namespace segmentum {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

std::string onednn_instruction_set() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "SSE4.1";
    case dnnl_cpu_isa_avx:
      return "AVX";
    case dnnl_cpu_isa_avx2:
      return "AVX2";
    case dnnl_cpu_isa_avx2_vnni:
      return "AVX2 with VNNI";
    case dnnl_cpu_isa_avx512_core:
      return "AVX-512";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "AVX-512 with VNNI";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "AVX-512 with bfloat16";
    default:
      return "its best for this CPU";
  }
}

/// The compiler knows the month of the specification, people its number.
std::string openmp_version() {
  switch (_OPENMP) {
    case 201107:
      return "3.1";
    case 201307:
      return "4.0";
    case 201511:
      return "4.5";
    case 201811:
      return "5.0";
    case 202011:
      return "5.1";
    case 202111:
      return "5.2";
    default:
      return fmt::format("of {}-{:02}", _OPENMP / 100, _OPENMP % 100);
  }
}

/// Highway's name of the instructions that our kernels use here: of those they were compiled for,
/// the best one, which has the lowest bit.
std::string highway_target() {
  const auto supported = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(supported & -supported);
}

std::string cpu_name() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

/// As a shell reads it back.
std::string quoted(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=:,+-@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char letter : word) text += letter == '\'' ? "'\\''" : std::string(1, letter);
  return text + "'";
}

/// The words that the program was called with; empty where the system does not tell.
std::string command_line() {
  std::string words;
  try {
    words = read_file("/proc/self/cmdline");  // each ends with a zero byte
  } catch (const Error&) {
    return "";
  }
  std::string text;
  for (std::size_t at = 0, end = 0; (end = words.find('\0', at)) != std::string::npos;
       at = end + 1) {
    text += (text.empty() ? "" : " ") + quoted(words.substr(at, end - at));
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> build_facts() {
  return {{"version", SEGMENTUM_VERSION},
          {"build", SEGMENTUM_BUILD_TYPE},
          {"compiler", compiler()},
          {"oneDNN", fmt::format("{} ({})", onednn_version(), onednn_instruction_set())},
          {"Highway", highway_target()},
          {"OpenMP", openmp_version()},
          {"cpu", cpu_name()}};
}

RunFacts run_facts(const std::string& data) {
  const auto facts = build_facts();
  return {.command = command_line(), .data = data, .program = {facts.begin(), facts.end()}};
}

}  // namespace segmentum
