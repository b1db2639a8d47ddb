// A node's attributes by name, or what the operator takes where there are none. All throw Error for
// an attribute of another kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "interop/onnx/onnx_model.h"

namespace segmentum {

std::int64_t whole_of(const OnnxNode& node, std::string_view attribute, std::int64_t otherwise);
float real_of(const OnnxNode& node, std::string_view attribute, float otherwise);
std::string text_of(const OnnxNode& node, std::string_view attribute, std::string_view otherwise);
/// None where there is none.
std::vector<std::int64_t> wholes_of(const OnnxNode& node, std::string_view attribute);

}  // namespace segmentum
