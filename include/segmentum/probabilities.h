// What a network says of a picture before the argmax, and what a CRF reads and returns.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace segmentum {

/// The probability of every class at every pixel, [K,H,W]; the K of a pixel sum to one.
class Probabilities {
 public:
  Probabilities() = default;
  /// Zero-filled. Throws Error unless all extents are positive.
  Probabilities(int classes, int height, int width);

  int classes() const { return classes_; }
  int height() const { return height_; }
  int width() const { return width_; }
  float* row(int k, int y) { return values_.data() + index(k, y); }
  const float* row(int k, int y) const { return values_.data() + index(k, y); }
  float operator()(int k, int y, int x) const { return row(k, y)[x]; }
  std::span<float> values() { return values_; }
  std::span<const float> values() const { return values_; }

 private:
  std::size_t index(int k, int y) const {
    return (static_cast<std::size_t>(k) * height_ + y) * width_;
  }
  int classes_ = 0;
  int height_ = 0;
  int width_ = 0;
  std::vector<float> values_;
};

}  // namespace segmentum
