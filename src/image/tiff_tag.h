// A TIFF tag as its file holds it, for those that are carried from one file to another.
#pragma once

#include <cstdint>
#include <string>

namespace segmentum {

struct TiffTag {
  std::uint16_t number = 0;
  std::uint16_t type = 0;   // TIFF 6.0, section 2: 2 text, 3 u16, 4 u32, 12 f64, ...
  std::uint64_t count = 0;  // of values
  std::string bytes;        // in the machine's byte order
  bool operator==(const TiffTag&) const = default;
};

/// Bytes of one value of a type; 0 for types that there are not.
constexpr int tiff_type_bytes(int type) {
  switch (type) {
    case 1:  // byte
    case 2:  // text
    case 6:  // signed byte
    case 7:  // undefined
      return 1;
    case 3:  // u16
    case 8:
      return 2;
    case 4:  // u32
    case 9:
    case 11:  // f32
      return 4;
    case 5:  // rational
    case 10:
    case 12:  // f64
    case 16:  // u64
    case 17:
      return 8;
    default:
      return 0;
  }
}

}  // namespace segmentum
