// The only door to oneDNN: convolution passes on our layouts. (2.6's interface; 3.x changes end
// here.)
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/cpu/conv_geometry.h"
#include "graph/operators.h"

namespace segmentum::cpu {

enum class ConvPass { forward, backward_data, backward_weights };

/// What is computed besides the convolution itself, in this order: + bias, + residual, activation.
struct ConvExtras {
  bool bias = false;        // backward_weights: also the gradient of the bias
  bool residual = false;    // forward: a value of the result's shape and layout
  Activation activation{};  // one that `keeps_zero`
};

/// Activations that a forward pass can apply to its result, so that this tells the derivative.
bool can_fuse(const Activation& activation);

/// A compiled pass. Immutable and safe to run from many threads, each with its own scratch.
class Convolution {
 public:
  /// `src_block` and `dst_block` are 1 (plain) or `vector_block()`; values are dense. Returns null
  /// where oneDNN does not offer this layout, or only by its reference loops and `accept_reference`
  /// is false.
  static std::unique_ptr<Convolution> make(const ConvGeometry& geometry, ConvPass pass,
                                           const ConvExtras& extras, int src_block, int dst_block,
                                           bool accept_reference);
  ~Convolution();

  std::size_t packed_bytes() const;
  std::size_t scratch_bytes() const;
  std::string implementation() const;
  /// Names the packed layout: equal names, equal bytes.
  const std::string& packed_layout() const;

  /// Plain weights -> packed. Padded channels have zero weights.
  void pack(const float* plain, void* packed) const;
  /// plain += unpacked: for gradients.
  void unpack_add(const void* packed, float* plain) const;

  /// forward: dst = f(src); backward_data: src = dLoss/dsrc from dst = dLoss/ddst;
  /// backward_weights: packed and bias = gradients from src and dst = dLoss/ddst.
  struct Operands {
    float* src = nullptr;
    void* packed = nullptr;
    float* bias = nullptr;
    float* dst = nullptr;
    const float* residual = nullptr;
    void* scratch = nullptr;
  };
  void run(const Operands& operands) const;

 private:
  struct Parts;
  explicit Convolution(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace segmentum::cpu
