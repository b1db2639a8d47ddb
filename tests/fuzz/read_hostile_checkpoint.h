// Everything that a checkpoint from a stranger goes through, on bytes in memory: what the fuzzer
// runs, and what the suite runs on the fuzzer's corpus.
#pragma once

#include <string_view>

#include "interop/checkpoint.h"
#include "segmentum/error.h"

namespace segmentum {

/// True if the bytes are a checkpoint. All of its tensors are read, or refused with an Error.
inline bool read_hostile_checkpoint(std::string_view bytes) {
  try {
    const Checkpoint checkpoint = parse_checkpoint(bytes);
    for (const auto& [name, tensor] : checkpoint.tensors()) {
      try {
        checkpoint.read(name);
      } catch (const Error&) {
      }
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
