// The samples of a picture in their three types, for code that is written once for all of them.
#pragma once

#include <cstdint>
#include <type_traits>

#include "segmentum/image.h"

namespace segmentum {

/// Calls `body(T{})` with T = uint8_t, uint16_t or float.
template <typename Body>
decltype(auto) with_sample_type(PixelType type, Body&& body) {
  switch (type) {
    case PixelType::u8:
      return body(std::uint8_t{});
    case PixelType::u16:
      return body(std::uint16_t{});
    case PixelType::f32:
      break;
  }
  return body(float{});
}

/// The value of full brightness: 255, 65535, and 1 for float.
template <typename T>
inline constexpr float kFullScale = std::is_same_v<T, std::uint8_t>    ? 255.0f
                                    : std::is_same_v<T, std::uint16_t> ? 65535.0f
                                                                       : 1.0f;

/// `value` as a sample: rounded and held in range for integers (NaN becomes 0), as it is for float.
template <typename T>
T to_sample(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    const float low = value > 0.0f ? value : 0.0f;
    return static_cast<T>((low < kFullScale<T> ? low : kFullScale<T>)+0.5f);
  }
}

}  // namespace segmentum
