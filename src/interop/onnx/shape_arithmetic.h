// What ONNX graphs compute about sizes: chains of Shape, Gather, Mul, Concat and the like, on small
// arrays. An importer runs them to learn what they come to.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "interop/onnx/onnx_attributes.h"
#include "interop/onnx/onnx_model.h"

namespace segmentum {

/// A dense, row-major array of whole or of real (32-bit) numbers. Both are kept as double: whole
/// numbers beyond 2^53 only stand for "to the end".
struct Array {
  std::vector<std::int64_t> dims;  // none: one number
  bool is_whole = true;
  std::vector<double> numbers;

  static Array of(std::vector<std::int64_t> wholes);  // one axis
  std::int64_t count() const { return static_cast<std::int64_t>(numbers.size()); }
};

/// Numbers that one array may have.
inline constexpr std::int64_t kMostArrayNumbers = std::int64_t{1} << 24;

/// The numbers of a tensor. Throws Error where there are more than kMostArrayNumbers.
Array array_of(const OnnxTensor& tensor);

/// Can `evaluate` compute this operator?
bool is_shape_arithmetic(const std::string& op);

/// What the node makes of its inputs, with null for those that are left out. Operators as of
/// opset 7 to 21, in so far as one output and these types of number are concerned. Throws Error,
/// without the node's name, for what cannot be.
Array evaluate(const OnnxNode& node, std::span<const Array* const> inputs);

/// A whole number as an index: what is beyond 64 bits becomes the largest or smallest there is.
std::int64_t as_index(double number);

/// Axis counted from the end where negative. Throws Error unless it is one of `rank`.
std::size_t axis_of(std::int64_t axis, std::size_t rank);

/// The extents that a Reshape to `wanted` gives: 0 keeps an axis (unless `allow_zero`), -1 is what
/// remains. Throws Error.
std::vector<std::int64_t> reshaped(std::span<const std::int64_t> dims,
                                   std::span<const std::int64_t> wanted, bool allow_zero);

/// The product. Throws Error for negative extents and beyond 2^60.
std::int64_t product_of(std::span<const std::int64_t> dims);
std::int64_t product_of(std::initializer_list<std::int64_t> dims);

/// Pixels begin, begin + step, ..., `count` of them.
struct SliceRange {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
};

/// ONNX's rule for one axis of `size`. Throws Error for step 0.
SliceRange slice_range(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step);

}  // namespace segmentum
