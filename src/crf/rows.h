// Pixel after pixel, a number for each label: the form in which the CRF computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace segmentum {

/// Floats of one row: labels rounded up to whole vectors; what lies beyond them is zero, save where
/// it is said otherwise.
inline constexpr int kRowUnit = 8;
constexpr int row_stride(int labels) {
  return (labels + kRowUnit - 1) / kRowUnit * kRowUnit;
}

/// Owned numbers, aligned to cache lines and not set to anything: who fills them first decides
/// where they lie.
template <typename T>
class Block {
 public:
  Block() = default;
  explicit Block(std::int64_t count)
      : count_(count),
        data_(static_cast<T*>(
            ::operator new[](sizeof(T) * static_cast<std::size_t>(count), std::align_val_t{64}))) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::int64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  T& operator[](std::int64_t i) { return data_.get()[i]; }
  const T& operator[](std::int64_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete[](p, std::align_val_t{64}); }
  };
  std::int64_t count_ = 0;
  std::unique_ptr<T[], Free> data_;
};

/// Pixels [begin, end).
struct PixelRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t count() const { return end - begin; }
};

/// The pixels cut into bands, in the same way for any number of threads: a band is what one thread
/// works on, and what is summed over pixels is summed within bands first.
class Bands {
 public:
  Bands() = default;
  explicit Bands(std::int64_t pixels);

  int count() const { return count_; }
  std::int64_t pixels() const { return pixels_; }
  PixelRange operator[](int band) const {
    return {pixels_ * band / count_, pixels_ * (band + 1) / count_};
  }

 private:
  std::int64_t pixels_ = 0;
  int count_ = 0;
};

/// Pixels of a block whose rows of `stride` floats stay in the first-level cache.
std::int64_t block_pixels(int stride);

/// Calls body(range) for the blocks of a range.
template <typename Body>
void for_blocks(PixelRange range, int stride, const Body& body) {
  const std::int64_t size = block_pixels(stride);
  for (std::int64_t p = range.begin; p < range.end; p += size) {
    body(PixelRange{p, p + size < range.end ? p + size : range.end});
  }
}

}  // namespace segmentum
