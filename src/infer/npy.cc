#include "infer/npy.h"

#include <string>

#include "base/file.h"

namespace segmentum {

void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values) {
  std::string extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents += std::to_string(shape[axis]) + ",";
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + extents + "), }";
  // Magic, version and length take 10 bytes; the numbers begin at a multiple of 64.
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  write_file_pieces(
      path, {start, header, {reinterpret_cast<const char*>(values.data()), values.size_bytes()}});
}

}  // namespace segmentum
