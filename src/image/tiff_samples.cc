#include "image/tiff_samples.h"

#include <cstring>

#include "base/half_float.h"
#include "image/sample.h"

namespace segmentum {
namespace {

template <typename Stored, typename T>
void convert(const std::byte* row, std::int64_t count, T* to, std::int64_t step) {
  for (std::int64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, row + i * sizeof(Stored), sizeof(Stored));
    to[i * step] = static_cast<T>(value);
  }
}

template <typename T>
void convert_bits(const std::byte* row, int bits, std::int64_t count, T* to, std::int64_t step) {
  const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
  std::uint32_t window = 0;
  int held = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    while (held < bits) {
      window = (window << 8) | std::to_integer<std::uint32_t>(*row++);
      held += 8;
    }
    held -= bits;
    to[i * step] = static_cast<T>((window >> held) & mask);
  }
}

void convert_halves(const std::byte* row, std::int64_t count, float* to, std::int64_t step) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint16_t half;
    std::memcpy(&half, row + 2 * i, 2);
    to[i * step] = half_to_float(half);
  }
}

void convert_to_float(const std::byte* row, const StoredSample& sample, std::int64_t count,
                      float* to, std::int64_t step) {
  const bool real = sample.kind == SampleKind::real;
  const bool is_signed = sample.kind == SampleKind::signed_integer;
  switch (sample.bits) {
    case 8:
      return convert<std::int8_t>(row, count, to, step);
    case 16:
      if (real) return convert_halves(row, count, to, step);
      return convert<std::int16_t>(row, count, to, step);
    case 32:
      if (real) return convert<float>(row, count, to, step);
      if (is_signed) return convert<std::int32_t>(row, count, to, step);
      return convert<std::uint32_t>(row, count, to, step);
    default:
      if (real) return convert<double>(row, count, to, step);
      if (is_signed) return convert<std::int64_t>(row, count, to, step);
      return convert<std::uint64_t>(row, count, to, step);
  }
}

/// value -> change(value) for all samples of a u8 or u16 picture.
template <typename Change>
void change_integers(Image& image, const Change& change) {
  with_sample_type(image.type(), [&]<typename T>(T) {
    if constexpr (!std::is_same_v<T, float>) {
      const std::int64_t count = std::int64_t{image.width()} * image.channels();
      for (int y = 0; y < image.height(); ++y) {
        T* row = image.row<T>(y);
        for (std::int64_t i = 0; i < count; ++i) row[i] = static_cast<T>(change(row[i]));
      }
    }
  });
}

}  // namespace

bool StoredSample::supported() const {
  switch (kind) {
    case SampleKind::unsigned_integer:
      return (bits >= 1 && bits <= 16) || bits == 32 || bits == 64;
    case SampleKind::signed_integer:
      return bits == 8 || bits == 16 || bits == 32 || bits == 64;
    case SampleKind::real:
      break;
  }
  return bits == 16 || bits == 32 || bits == 64;
}

PixelType StoredSample::type() const {
  if (kind != SampleKind::unsigned_integer || bits > 16) return PixelType::f32;
  return bits <= 8 ? PixelType::u8 : PixelType::u16;
}

bool StoredSample::narrow() const {
  return type() != PixelType::f32 && bits != 8 * static_cast<int>(sample_bytes(type()));
}

void unpack_row(const std::byte* row, const StoredSample& sample, std::int64_t count, void* to,
                std::int64_t step) {
  switch (sample.type()) {
    case PixelType::u8: {
      auto* out = static_cast<std::uint8_t*>(to);
      if (sample.bits == 8) return convert<std::uint8_t>(row, count, out, step);
      return convert_bits(row, sample.bits, count, out, step);
    }
    case PixelType::u16: {
      auto* out = static_cast<std::uint16_t*>(to);
      if (sample.bits == 16) return convert<std::uint16_t>(row, count, out, step);
      return convert_bits(row, sample.bits, count, out, step);
    }
    case PixelType::f32:
      return convert_to_float(row, sample, count, static_cast<float*>(to), step);
  }
}

void scale_to_full_range(Image& image, std::uint32_t max_value) {
  const std::uint32_t full = image.type() == PixelType::u8 ? 255 : 65535;
  change_integers(image, [&](std::uint32_t value) {
    return (value * full + max_value / 2) / max_value;  // below 2^32: both are at most 65535
  });
}

void invert(Image& image, std::uint32_t max_value) {
  change_integers(image, [&](std::uint32_t value) { return max_value - value; });
}

}  // namespace segmentum
