// Networks as the scripts in tests/golden run them: numbers that follow from names, and samples of
// what comes out.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace segmentum {

/// FNV-1a of 32 bits.
inline std::uint32_t name_key(const std::string& text) {
  std::uint32_t key = 0x811C9DC5;
  for (unsigned char letter : text) key = (key ^ letter) * 0x01000193;
  return key;
}

/// Number `i` of the stream `key`, in [-1, 1): the script's `uniform`.
inline double uniform(std::uint32_t key, std::uint32_t i) {
  std::uint32_t x = key * 0x9E3779B1 + i * 0x85EBCA6B + 1;
  x ^= x >> 16;
  x *= 0x7FEB352D;
  x ^= x >> 15;
  x *= 0x846CA68B;
  x ^= x >> 16;
  return x / 0x1p31 - 1;
}

inline void fill(std::span<float> values, const std::string& name, double offset, double scale) {
  const std::uint32_t key = name_key(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(offset + scale * uniform(key, static_cast<std::uint32_t>(i)));
  }
}

/// How far the output is from the stored sample and range, as a part of the range that its values
/// and zero span.
inline double largest_error(ConstTensorView have, const nlohmann::json& golden) {
  const auto wanted = golden.at("values").get<std::vector<float>>();
  const double low = golden.at("low"), high = golden.at("high");
  const auto values = have.values();
  const auto [lowest, highest] = std::ranges::minmax(values);
  double error = std::max(std::abs(lowest - low), std::abs(highest - high));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const float value = values[i * values.size() / wanted.size()];
    error = std::max(error, static_cast<double>(std::abs(value - wanted[i])));
  }
  return error / (std::max(high, 0.0) - std::min(low, 0.0));
}

}  // namespace segmentum
