// Arrays as NumPy reads and writes them.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "tensor/shape.h"

namespace segmentum {

/// Writes float32 numbers of this shape, row-major, as a .npy file (format 1.0), atomically.
/// Throws Error naming the file.
void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values);

struct NpyArray {
  Shape shape;
  std::vector<float> values;   // row-major
  bool whole_numbers = false;  // the file's type is an integer: labels, not probabilities
};

/// Whether a file begins as a .npy file does.
bool is_npy_file(const std::filesystem::path& path);

/// Reads a .npy file of format 1 to 3: float32, float64, or integers of 8 to 64 bits,
/// little-endian, at most four axes, row-major. Integers beyond 2^24 lose digits. Memory follows
/// from the file's size. Throws Error naming the file and what is not as expected.
NpyArray read_npy(const std::filesystem::path& path);

}  // namespace segmentum
