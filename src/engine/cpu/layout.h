// How the cpu engine lays values out in memory: channels in blocks of one vector register.
#pragma once

#include <cstdint>

#include "tensor/shape.h"

namespace segmentum::cpu {

/// Channels of one block: 16 where the CPU has AVX-512, else 8. Constant for the process.
int vector_block();

/// `channels` with those that fill the last block.
constexpr std::int64_t whole_blocks(std::int64_t channels, int block) {
  return (channels + block - 1) / block * block;
}
inline std::int64_t whole_blocks(std::int64_t channels) {
  return whole_blocks(channels, vector_block());
}

/// A value [N,C,H,W] stored as [N][C/block][H][W][block], channels padded with zeros to whole
/// blocks. `block` 1 is plain NCHW. Images lie `batch_stride` floats apart: a value may be a slice
/// of a concatenation, so producers write where the consumer reads. A `window` is a rectangle of a
/// larger value, so that cutting it out costs nothing: its rows and planes lie as far apart as that
/// one's. Kernels go by `at`; those that run over several rows at once take no windows.
struct View {
  float* data = nullptr;
  Shape shape;
  int block = 1;
  std::int64_t batch_stride = 0;
  std::int64_t frame_h = 0, frame_w = 0;  // pixels of the larger value; 0: this is no window

  bool window() const { return frame_w != 0; }
  std::int64_t blocks() const { return (shape.c() + block - 1) / block; }
  /// Floats from plane to plane and from row to row.
  std::int64_t plane() const { return (window() ? frame_h : shape.h()) * row(); }
  std::int64_t row() const { return (window() ? frame_w : shape.w()) * block; }
  float* at(std::int64_t n, std::int64_t channel_block, std::int64_t y = 0) const {
    return data + n * batch_stride + channel_block * plane() + y * row();
  }
  bool dense() const { return !window() && (shape.n() == 1 || batch_stride == blocks() * plane()); }
};

/// Floats of one image of `shape` in blocks of `block` channels.
inline std::int64_t image_floats(const Shape& shape, int block) {
  return whole_blocks(shape.c(), block) * shape.h() * shape.w();
}

}  // namespace segmentum::cpu
