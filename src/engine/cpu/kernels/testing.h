// What the tests of kernels share: random numbers, and values in blocked layout.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "engine/cpu/kernels/kernels.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {

/// Normal numbers, the same for the same stream.
inline Tensor random_tensor(const Shape& shape, std::uint32_t stream) {
  RandomStream random(1, 0, stream);
  Tensor tensor(shape);
  for (float& v : tensor.values()) v = static_cast<float>(random.normal());
  return tensor;
}

inline View plain_view(Tensor& t) {
  const Shape& s = t.shape();
  return {t.data(), s, 1, s.c() * s.h() * s.w()};
}

/// A blocked copy, and the memory it lies in: a slice, two blocks wider than it is.
struct Blocked {
  Tensor memory;
  View view;

  explicit Blocked(const Shape& shape, int block = vector_block())
      : memory({shape.n() * (image_floats(shape, block) + 2 * block)}),
        view{memory.data(), shape, block, image_floats(shape, block) + 2 * block} {}
  explicit Blocked(Tensor& plain, int block = vector_block()) : Blocked(plain.shape(), block) {
    reorder(plain_view(plain), view, false);
  }
  Tensor plain() const {
    Tensor result(view.shape);
    reorder(view, plain_view(result), false);
    return result;
  }
};

}  // namespace segmentum::cpu
