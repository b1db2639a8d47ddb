// A model file from a stranger: what the fuzzer runs, and what the suite runs on its corpus.
#pragma once

#include <string_view>

#include "hostile_file.h"
#include "model_file/model.h"
#include "segmentum/error.h"

namespace segmentum {

/// True if the bytes are a model file.
inline bool read_hostile_model(std::string_view bytes) {
  const HostileFile file(bytes);
  bool read = false;
  try {
    load_model(file.path());
    read = true;
  } catch (const Error&) {
  }
  try {
    load_crf_settings(file.path());
    load_golden_pair(file.path());
  } catch (const Error&) {
  }
  return read;
}

}  // namespace segmentum
