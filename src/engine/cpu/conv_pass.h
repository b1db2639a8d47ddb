// What convolution and transposed convolution share: each is the other's backward pass.
#pragma once

#include <memory>
#include <string>

#include "engine/cpu/joined_groups.h"
#include "engine/cpu/kernels/direct_convolution.h"
#include "engine/cpu/kernels/winograd.h"
#include "engine/cpu/lowering.h"
#include "engine/cpu/onednn_convolution.h"

namespace segmentum::cpu {

/// A convolution from a value of shape `in` to one of shape `out`.
ConvGeometry geometry_of(const op::Conv& conv, const Shape& in, const Shape& out);

/// A compiled pass and the layouts it reads and writes.
struct ConvPassChoice {
  std::shared_ptr<const Convolution> kernel;
  int src_block = 1;
  int dst_block = 1;
};

/// Blocked on both sides; with a plain source of few channels the first-layer kernels; else plain
/// GEMM. Depends on the layer and the CPU, so tiles of a picture get the same kernel; which of
/// oneDNN's kernels sum in an order that goes by the size all the same, `direct_pays` tells.
ConvPassChoice choose_pass(const ConvGeometry& geometry, ConvPass pass, const ConvExtras& extras,
                           bool plain_source, const std::string& node);

/// The packed copy of the node's weights for oneDNN's `kernel`, which runs `groups`.
std::shared_ptr<PackedWeights> pack(Lowering& l, ValueId id,
                                    const std::shared_ptr<const Convolution>& kernel,
                                    const JoinedGroups& groups = {});

/// Floats that hold the packed weights.
std::int64_t packed_floats(const Convolution& kernel);

/// The node's weights for Winograd's kernel: a packed copy, or where they are many the parameter
/// itself.
struct WinogradSource {
  WinogradForm form = WinogradForm::transformed;
  std::shared_ptr<PackedWeights> packed;  // where they are transformed
  const ParameterStore::Parameter* parameter = nullptr;

  WinogradWeights current() const {
    return {packed ? static_cast<const float*>(packed->current()) : parameter->value.data(), form};
  }
};
/// With this tile; `backward`: of the convolution that gives the input's gradient.
WinogradSource winograd_source(Lowering& l, ValueId id, const ConvGeometry& geometry, int tile,
                               bool backward);

/// Dilations that Winograd's kernel takes: a wider one leaves pictures of too few pixels between
/// the taps for tiles of four. It depends on nothing but the layer, as all choices of kernels do.
constexpr int kWinogradDilation = 8;

/// Whether Winograd's kernel is the faster one: 3x3, stride 1, little dilation, enough channels for
/// the transforms to pay; not in an exact engine.
bool winograd_pays(const Lowering& l, const ConvGeometry& geometry);

/// Results of its forward pass's tiles along each axis, where it pays: 4 or 6.
int winograd_tile(const Lowering& l, ValueId id, const ConvGeometry& geometry);

/// What `winograd_tile` means for parts of a picture.
ConvolutionGrid winograd_grid();

/// Whether oneDNN would sum the channels of a 1x1 convolution in an order that goes by the size of
/// its map (many channels, or a stride) while the node may be run on parts of pictures, which must
/// have the whole's bits.
bool sums_go_by_size(const Lowering& l, ValueId id, std::int64_t channels, Size2 stride = 1);

/// Whether our direct kernel is to run: it is the faster one for dilations beyond Winograd's and
/// for gradients of weights, and the one whose bits do not go by the picture's size for kernels
/// wider than the picture and for 1x1 whose sums do.
bool direct_pays(const Lowering& l, ValueId id, const ConvGeometry& geometry, ConvPass pass);

/// The packed copy for our direct kernel.
std::shared_ptr<PackedWeights> pack_direct(Lowering& l, ValueId id,
                                           const DirectConvolution& convolution, bool gradient,
                                           const JoinedGroups& groups = {});

/// Scratch for one run of the kernel; -1 if it needs none.
int scratch_buffer(Lowering& l, const Convolution& kernel);

/// The two values of a weight gradient: a value of the graph and a gradient (dense).
struct WeightGradientInputs {
  ValueId value;
  Slot other;
  bool value_is_src;  // of the convolution `geometry` describes
};
/// Adds the weights' gradient (and the bias's, taken from `other`) to `Gradients`.
void emit_weight_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry,
                          const WeightGradientInputs& inputs, bool bias, bool plain_source);

/// dLoss/dx of node `id` from `dy` (dense): by backward_data for a convolution, forward for a
/// transposed one.
void emit_data_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry, ConvPass pass,
                        const Slot& dy, ValueId x);

/// `slot` in dense memory with this block: itself or a copy.
Slot dense_in(Lowering& l, ValueId id, const Slot& slot, int block);

}  // namespace segmentum::cpu
