// Plain dense tensors: the form in which parameters are kept and executors exchange values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "tensor/shape.h"

namespace segmentum {

inline constexpr std::size_t kTensorAlignment = 64;  // a cache line, and the widest vector

/// Somebody else's dense row-major numbers.
template <typename T>
struct BasicTensorView {
  Shape shape;
  T* data = nullptr;

  T& operator()(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return data[((n * shape.c() + c) * shape.h() + y) * shape.w() + x];
  }
  std::span<T> values() const { return {data, static_cast<std::size_t>(shape.count())}; }
  operator BasicTensorView<const T>() const requires(!std::is_const_v<T>) { return {shape, data}; }
};

/// Dense row-major numbers, owned, zero-filled on construction. Copies are spelled `clone()`.
template <typename T>
class BasicTensor {
 public:
  BasicTensor() = default;
  explicit BasicTensor(const Shape& shape) : shape_(shape), data_(allocate(shape.count())) {
    std::fill_n(data_.get(), shape.count(), T{});
  }
  BasicTensor(BasicTensor&&) noexcept = default;
  BasicTensor& operator=(BasicTensor&&) noexcept = default;

  BasicTensor clone() const {
    BasicTensor copy(shape_);
    std::copy_n(data_.get(), shape_.count(), copy.data_.get());
    return copy;
  }
  /// The same values in another number type.
  template <typename U>
  BasicTensor<U> as() const {
    BasicTensor<U> copy(shape_);
    std::copy_n(data_.get(), shape_.count(), copy.data());
    return copy;
  }

  const Shape& shape() const { return shape_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::span<T> values() { return {data(), static_cast<std::size_t>(shape_.count())}; }
  std::span<const T> values() const { return {data(), static_cast<std::size_t>(shape_.count())}; }
  T& operator()(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) {
    return view()(n, c, y, x);
  }
  const T& operator()(std::int64_t n, std::int64_t c, std::int64_t y, std::int64_t x) const {
    return view()(n, c, y, x);
  }
  BasicTensorView<T> view() { return {shape_, data()}; }
  BasicTensorView<const T> view() const { return {shape_, data()}; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete[](p, std::align_val_t{kTensorAlignment}); }
  };
  static T* allocate(std::int64_t count) {
    const std::size_t bytes =
        sizeof(T) * static_cast<std::size_t>(std::max<std::int64_t>(count, 1));
    return static_cast<T*>(::operator new[](bytes, std::align_val_t{kTensorAlignment}));
  }

  Shape shape_;
  std::unique_ptr<T[], Free> data_;
};

using Tensor = BasicTensor<float>;
using TensorView = BasicTensorView<float>;
using ConstTensorView = BasicTensorView<const float>;

}  // namespace segmentum
