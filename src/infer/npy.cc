#include "infer/npy.h"

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kMostAxes = 4;

/// The text behind "'key':" in a header such as {'descr': '<f4', 'fortran_order': False, ...}.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "'";
  const std::size_t at = header.find(quoted);
  const std::size_t colon =
      at == std::string_view::npos ? at : header.find(':', at + quoted.size());
  if (colon == std::string_view::npos) {
    throw Error("its header has no " + quoted);
  }
  const std::size_t begin = header.find_first_not_of(' ', colon + 1);
  return begin == std::string_view::npos ? std::string_view() : header.substr(begin);
}

/// "(3, 7, 11), ..." as extents.
Shape shape_from(std::string_view text) {
  const std::size_t end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) throw Error("its shape is damaged");
  std::array<std::int64_t, kMostAxes> extents{};
  std::size_t axes = 0;
  for (std::size_t at = 1; at < end;) {
    if (text[at] == ' ' || text[at] == ',') {
      ++at;
      continue;
    }
    std::int64_t extent = 0;
    const auto [stop, code] = std::from_chars(text.data() + at, text.data() + end, extent);
    if (code != std::errc() || extent < 1) throw Error("its shape is damaged or empty");
    if (axes == kMostAxes) throw Error("it has more than four axes");
    extents[axes++] = extent;
    at = static_cast<std::size_t>(stop - text.data());
  }
  switch (axes) {
    case 1:
      return {extents[0]};
    case 2:
      return {extents[0], extents[1]};
    case 3:
      return {extents[0], extents[1], extents[2]};
    case 4:
      return {extents[0], extents[1], extents[2], extents[3]};
    default:
      return {};
  }
}

/// Product of the extents if it is at most `most`.
std::size_t count_within(const Shape& shape, std::size_t most) {
  std::size_t count = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    if (extent > most / count) throw Error("it is cut: its shape needs more numbers than it has");
    count *= extent;
  }
  return count;
}

template <typename T>
void convert(std::string_view bytes, NpyArray& array) {
  const std::size_t count = count_within(array.shape, bytes.size() / sizeof(T));
  array.values.resize(count);
  array.whole_numbers = std::is_integral_v<T>;
  for (std::size_t i = 0; i < count; ++i) {
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    array.values[i] = static_cast<float>(number);
  }
}

void convert(std::string_view type, std::string_view bytes, NpyArray& array) {
  if (type == "<f4") return convert<float>(bytes, array);
  if (type == "<f8") return convert<double>(bytes, array);
  if (type == "|u1" || type == "|b1") return convert<std::uint8_t>(bytes, array);
  if (type == "|i1") return convert<std::int8_t>(bytes, array);
  if (type == "<u2") return convert<std::uint16_t>(bytes, array);
  if (type == "<i2") return convert<std::int16_t>(bytes, array);
  if (type == "<u4") return convert<std::uint32_t>(bytes, array);
  if (type == "<i4") return convert<std::int32_t>(bytes, array);
  if (type == "<u8") return convert<std::uint64_t>(bytes, array);
  if (type == "<i8") return convert<std::int64_t>(bytes, array);
  throw Error("its numbers are of type " + std::string(type) +
              "; expected float32, float64 or integers, little-endian");
}

NpyArray array_from(std::string_view file) {
  // Magic, version, and the header's length in 2 bytes, from version 2 on in 4.
  constexpr std::size_t kVersionAt = 6, kLengthAt = 8;
  if (!file.starts_with(kMagic) || file.size() < 12) throw Error("is no .npy file");
  const std::size_t length_bytes = file[kVersionAt] == 1 ? 2 : 4;
  std::uint32_t length = 0;
  std::memcpy(&length, file.data() + kLengthAt, length_bytes);
  const std::size_t begin = kLengthAt + length_bytes;
  if (length > file.size() - begin) throw Error("it is cut within its header");
  const std::string_view header = file.substr(begin, length);
  if (!value_of(header, "fortran_order").starts_with("False")) {
    throw Error("it is stored column by column; numpy.ascontiguousarray before saving helps");
  }
  NpyArray array;
  array.shape = shape_from(value_of(header, "shape"));
  const std::string_view type = value_of(header, "descr");
  const std::size_t quote = type.empty() ? std::string_view::npos : type.find(type[0], 1);
  if (quote == std::string_view::npos || type[0] != '\'')
    throw Error("its numbers are of no simple type");
  convert(type.substr(1, quote - 1), file.substr(begin + length), array);
  return array;
}

}  // namespace

void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values) {
  std::string extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents += std::to_string(shape[axis]) + ",";
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + extents + "), }";
  // Magic, version and length take 10 bytes; the numbers begin at a multiple of 64.
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string start = std::string(kMagic) + std::string("\x01\x00", 2);
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  write_file_pieces(
      path, {start, header, {reinterpret_cast<const char*>(values.data()), values.size_bytes()}});
}

bool is_npy_file(const std::filesystem::path& path) {
  char start[kMagic.size()] = {};
  std::ifstream stream(path, std::ios::binary);
  stream.read(start, sizeof start);
  return stream && std::string_view(start, sizeof start) == kMagic;
}

NpyArray read_npy(const std::filesystem::path& path) {
  const std::string file = read_file(path);
  try {
    return array_from(file);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

}  // namespace segmentum
