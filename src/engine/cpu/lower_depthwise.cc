#include "engine/cpu/lower_depthwise.h"

#include <memory>

#include "engine/cpu/kernels/depthwise.h"
#include "engine/cpu/kernels/kernels.h"

namespace segmentum::cpu {
namespace {

DepthwiseWindow window_of(const ConvGeometry& g) {
  return {g.kernel, g.stride, g.dilation, g.padding};
}

using Kernel = decltype(&depthwise_convolution);

/// The value of the node by `kernel`, with what its epilogue cannot do after it.
void emit_value(Lowering& l, ValueId id, const char* name, Kernel kernel, const ConvGeometry& g,
                bool with_bias, ValueId residual_id) {
  const Slot y = l.value(id);
  const Activation activation = l.activation(id);
  // In training the result must tell the derivative.
  const bool fused = l.training() ? can_fuse(activation) : keeps_zero(activation);
  const Slot before = fused ? y : l.new_slot(y.shape, y.block);
  const Slot x = l.value_in(l.node(id).inputs[0], y.block);
  const Slot residual = residual_id < 0 ? Slot{} : l.value_in(residual_id, y.block);
  const auto weights = pack_depthwise(l, id, 0, g.oc, g.kernel);
  const auto bias = with_bias ? pack_depthwise(l, id, 1, g.oc, 1) : nullptr;
  l.step(id, name, {x.buffer, before.buffer, residual.buffer},
         [=, window = window_of(g), applied = fused ? activation : Activation{}](const Frame& f) {
           kernel(f.view(x), current(weights), window,
                  {.bias = current(bias), .residual = f.view(residual), .activation = applied},
                  f.view(before));
         });
  if (!fused) {
    l.keep_before_activation(id, before);
    l.step(id, activation_name(activation.kind), {before.buffer, y.buffer},
           [=](const Frame& f) { activate(f.view(before), activation, f.view(y)); });
  }
}

/// The gradient of the weights from the source of the convolution and the gradient of its result.
void emit_weight_gradient(Lowering& l, ValueId id, const ConvGeometry& g, const Slot& source,
                          const Slot& result, float* bias_gradient) {
  float* weight_gradient = l.parameter_gradient(id, 0);
  const View size{nullptr, result.shape, result.block, result.batch_stride};
  const int scratch = l.new_buffer(depthwise_scratch_floats(size, g.kernel));
  l.step(id, "depthwise weights", {source.buffer, result.buffer, scratch},
         [=, window = window_of(g)](const Frame& f) {
           depthwise_weight_gradient(f.view(source), f.view(result), window, weight_gradient,
                                     bias_gradient, f.floats(scratch));
         });
}

/// The gradient of the node's input by `kernel`.
void emit_data_gradient(Lowering& l, ValueId id, Kernel kernel, const ConvGeometry& g,
                        const Slot& dy) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const auto weights = pack_depthwise(l, id, 0, g.oc, g.kernel);
  const auto target = l.gradient_target(input, dy.block);
  l.step(id, "depthwise data", {dy.buffer, target.slot.buffer},
         [=, window = window_of(g)](const Frame& f) {
           const View dx = f.view(target.slot);
           kernel(f.view(dy), current(weights), window, {.residual = target.add ? dx : View{}}, dx);
         });
  l.finish(target);
}

}  // namespace

std::shared_ptr<PackedWeights> pack_depthwise(Lowering& l, ValueId id, int index,
                                              std::int64_t channels, Size2 kernel) {
  const auto how = [=](const float* parameter, void* packed) {
    depthwise_pack(parameter, channels, kernel, static_cast<float*>(packed));
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, index),
                         {"depthwise", depthwise_weight_floats(channels, kernel), how});
}

const float* current(const std::shared_ptr<PackedWeights>& packed) {
  return packed == nullptr ? nullptr : static_cast<const float*>(packed->current());
}

bool is_depthwise(const ConvGeometry& g) {
  return g.groups > 1 && g.groups == g.ic && g.groups == g.oc;
}

void lower_depthwise(Lowering& l, ValueId id, const op::Conv& conv, const ConvGeometry& g) {
  const ValueId residual = conv.add ? l.node(id).inputs[1] : -1;
  emit_value(l, id, "depthwise", depthwise_convolution, g, conv.bias, residual);
}

void lower_depthwise_backward(Lowering& l, ValueId id, const op::Conv& conv, const ConvGeometry& g,
                              const Slot& dy) {
  if (l.learns(id)) {
    const Slot x = l.value_in(l.node(id).inputs[0], dy.block);
    emit_weight_gradient(l, id, g, x, dy, conv.bias ? l.parameter_gradient(id, 1) : nullptr);
  }
  emit_data_gradient(l, id, depthwise_transposed, g, dy);
}

void lower_depthwise(Lowering& l, ValueId id, const op::TransposedConv& conv,
                     const ConvGeometry& g) {
  emit_value(l, id, "depthwise transposed", depthwise_transposed, g, conv.bias, -1);
}

void lower_depthwise_backward(Lowering& l, ValueId id, const op::TransposedConv& conv,
                              const ConvGeometry& g, const Slot& dy) {
  if (l.learns(id)) {
    const Slot x = l.value_in(l.node(id).inputs[0], dy.block);
    emit_weight_gradient(l, id, g, dy, x, nullptr);
  }
  if (conv.bias && l.learns(id)) {
    l.step(id, "bias gradient", {dy.buffer},
           [=, gradient = l.parameter_gradient(id, 1)](const Frame& f) {
             add_channel_sums(f.view(dy), gradient);
           });
  }
  emit_data_gradient(l, id, depthwise_convolution, g, dy);
}

}  // namespace segmentum::cpu
