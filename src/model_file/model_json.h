// The parts of a model that are neither graph nor numbers, as the texts of a model file.
#pragma once

#include <map>
#include <string>

#include "model_file/model.h"

namespace segmentum {

/// Pre-processing, classes, source values, settings and provenance, by their key in the file.
/// Bytes that are not UTF-8 become U+FFFD.
std::map<std::string, std::string> model_texts(const Model& model);

/// Fills those parts of `model` from the texts of a file. Throws Error naming the text that is
/// missing or not as expected.
void read_model_texts(const std::map<std::string, std::string>& texts, Model& model);

}  // namespace segmentum
