// The JSON header of a safetensors file, as text to entries; private to the reader.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model_file/safetensors.h"

namespace segmentum {

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, SafetensorsEntry> tensors;
};

/// Parses and checks a header whose numbers begin at byte `data_begin` of the file and take
/// `data_bytes`. Keeps nothing that is not an entry, so deep or repetitive JSON costs no memory.
/// Throws Error saying what is wrong.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_begin,
                                           std::uint64_t data_bytes);

}  // namespace segmentum
