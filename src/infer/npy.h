// Arrays as NumPy reads them.
#pragma once

#include <filesystem>
#include <span>

#include "tensor/shape.h"

namespace segmentum {

/// Writes float32 numbers of this shape, row-major, as a .npy file (format 1.0), atomically.
/// Throws Error naming the file.
void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values);

}  // namespace segmentum
