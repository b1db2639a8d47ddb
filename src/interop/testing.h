// What the tests of interop/ share.
#pragma once

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/file.h"
#include "graph/parameter_store.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"

namespace segmentum {

/// A checkpoint that PyTorch made: see tests/golden/make_checkpoint_goldens.py.
inline std::filesystem::path golden_checkpoint(const std::string& name) {
  return std::filesystem::path(SEGMENTUM_SOURCE_DIR) / "tests/golden/checkpoints" / name;
}

inline std::string complaint(const std::function<void()>& call) {
  try {
    call();
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

template <typename Number>
std::string raw(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

/// BINUNICODE.
inline std::string pickled_text(const std::string& text) {
  return "X" + raw(static_cast<std::uint32_t>(text.size())) + text;
}

/// All parameters as a safetensors file.
inline void write_parameters(const std::filesystem::path& path, const ParameterStore& parameters) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, parameter] : parameters.all()) {
    tensors.push_back({name, parameter.value.view()});
  }
  write_safetensors(path, tensors);
}

}  // namespace segmentum
