// The parts of shape arithmetic: arrays made, walked and spread, and operators that change axes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "interop/onnx/shape_arithmetic.h"

namespace segmentum {

using ArrayInputs = std::span<const Array* const>;
using ArrayOperation = Array (*)(const OnnxNode&, ArrayInputs);

/// Of zeros. Throws Error where there are more than kMostArrayNumbers.
Array array_like(std::vector<std::int64_t> dims, bool is_whole);

/// Reals are 32-bit numbers: their arithmetic rounds as the file's would.
double rounded(double number, bool is_whole);

/// Throws Error where the input is left out.
const Array& input_of(ArrayInputs inputs, std::size_t i);

/// The axes of both, right-aligned; an axis of 1 fits any. Throws Error.
std::vector<std::int64_t> broadcast(const std::vector<std::int64_t>& a,
                                    const std::vector<std::int64_t>& b);
/// The array repeated along its axes of 1.
Array expanded(const Array& array, const std::vector<std::int64_t>& dims);

/// Operators that arrange numbers and make none but indices; null for others.
ArrayOperation array_operation(const std::string& op);

}  // namespace segmentum
