// The samples of TIFF files, which may be of any width and kind, in our three types. Private to
// image/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "segmentum/image.h"

namespace segmentum {

enum class SampleKind { unsigned_integer, signed_integer, real };

/// How one sample is stored.
struct StoredSample {
  int bits = 8;
  SampleKind kind = SampleKind::unsigned_integer;

  /// Integers of 1 to 16, 32 and 64 bits unsigned, of 8, 16, 32 and 64 signed; real ones of 16, 32
  /// and 64.
  bool supported() const;
  /// u8 and u16 hold unsigned integers of that many bits; f32 all else.
  PixelType type() const;
  /// True for unsigned integers of fewer bits than their type.
  bool narrow() const;
  /// The largest value of an unsigned integer.
  std::uint32_t max_value() const { return (std::uint32_t{1} << bits) - 1; }
};

/// Writes `count` samples of a packed row to `to`, `step` samples of `sample.type()` apart. Samples
/// narrower than 8 bits, or between 8 and 16, are packed with the most significant bit first; all
/// others are in the machine's byte order. Values are kept as they are.
void unpack_row(const std::byte* row, const StoredSample& sample, std::int64_t count, void* to,
                std::int64_t step);

/// Spreads 0..`max_value` over the full range of the picture's type, rounded.
void scale_to_full_range(Image& image, std::uint32_t max_value);

/// value -> `max_value` - value, for pictures whose zero is white.
void invert(Image& image, std::uint32_t max_value);

}  // namespace segmentum
