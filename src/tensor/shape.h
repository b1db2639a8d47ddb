// The extent of a tensor: at most four axes, [N,C,H,W] for activations, [O,I,H,W] for weights.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace segmentum {

class Shape {
 public:
  Shape() = default;
  /// Throws Error for more than four axes or a negative extent.
  Shape(std::initializer_list<std::int64_t> extents);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return extents_[axis]; }
  std::int64_t& operator[](int axis) { return extents_[axis]; }
  /// Product of the extents; 1 for rank 0.
  std::int64_t count() const;

  std::int64_t n() const { return extents_[0]; }
  std::int64_t c() const { return extents_[1]; }
  std::int64_t h() const { return extents_[2]; }
  std::int64_t w() const { return extents_[3]; }

  bool operator==(const Shape& other) const = default;
  /// "4x3x256x256"; "scalar" for rank 0.
  std::string to_string() const;

 private:
  std::array<std::int64_t, 4> extents_{};
  int rank_ = 0;
};

}  // namespace segmentum
