// Convolution: Winograd's kernel for 3x3, our direct one for dilations, oneDNN's for the rest:
// blocked kernels where it has them, else its GEMM on plain layout.
#include <algorithm>
#include <utility>

#include "base/threads.h"
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/winograd.h"
#include "engine/cpu/lower_depthwise.h"
#include "engine/cpu/lower_narrow.h"
#include "engine/cpu/lower_separable.h"
#include "engine/cpu/lower_spread.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

void lower_winograd(Lowering& l, ValueId id, const op::Conv& conv, ConvGeometry g,
                    const Activation& activation, const Slot& y) {
  const std::vector<Slot> sources = l.parts_of(l.node(id).inputs[0]);
  const Slot residual = conv.add ? l.value_in(l.node(id).inputs[1], vector_block()) : Slot{};
  const int tile = winograd_tile(l, id, g);
  const Size2 phase =
      g.dilation == Size2(1) ? Size2(conv.phase.h % tile, conv.phase.w % tile) : Size2(0);
  const WinogradWindow window{g.padding.top, g.padding.left, g.dilation, tile, phase};
  const WinogradSource weights = winograd_source(l, id, g, tile, false);
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  const int scratch =
      l.new_buffer(winograd_scratch_floats(weights.form, g.ic, y.shape, window, threads()));
  std::vector<int> buffers{y.buffer, residual.buffer, scratch};
  for (const Slot& source : sources) buffers.push_back(source.buffer);
  const ValueId pool = l.pooled(id);
  const Slot pooled = pool >= 0 ? l.value(pool) : Slot{};
  buffers.push_back(pooled.buffer);
  const char* name = pool >= 0 ? "winograd + max pool" : "winograd";
  l.step(id, name, std::move(buffers), [=](const Frame& f) {
    std::vector<View> read;
    for (const Slot& source : sources) read.push_back(f.view(source));
    const View results = y.valid() ? f.view(y) : View{.shape = y.shape, .block = y.block};
    winograd_convolution(read, weights.current(), window,
                         {.bias = bias == nullptr ? nullptr : bias->value.data(),
                          .residual = f.view(residual),
                          .activation = activation,
                          .pooled = f.view(pooled)},
                         results, f.floats(scratch));
  });
}

void lower_direct(Lowering& l, ValueId id, const op::Conv& conv, ConvGeometry g,
                  const JoinedGroups& groups, const Activation& activation, const Slot& y) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot residual = conv.add ? l.value_in(l.node(id).inputs[1], vector_block()) : Slot{};
  const auto convolution = std::make_shared<const DirectConvolution>(direct_forward(g));
  const auto packed = pack_direct(l, id, *convolution, false, groups);
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  const int scratch = l.new_buffer(direct_scratch_floats(*convolution, threads()));
  l.step(id, "direct", {x.buffer, y.buffer, residual.buffer, scratch}, [=](const Frame& f) {
    direct_convolution(*convolution, f.view(x), static_cast<const float*>(packed->current()),
                       {.bias = bias == nullptr ? nullptr : bias->value.data(),
                        .residual = f.view(residual),
                        .activation = activation},
                       f.view(y), f.floats(scratch));
  });
}

/// Padding that reaches further than the kernel: where oneDNN has matrix products alone.
Padding far_padding(const ConvGeometry& g) {
  const int up = g.dilation.h * (g.kernel.h - 1), across = g.dilation.w * (g.kernel.w - 1);
  return {std::max(g.padding.top - up, 0), std::max(g.padding.left - across, 0),
          std::max(g.padding.bottom - up, 0), std::max(g.padding.right - across, 0)};
}

/// The convolution of a source that holds its far padding.
ConvGeometry without(const Padding& far, ConvGeometry g) {
  g.ih += far.top + far.bottom;
  g.iw += far.left + far.right;
  g.padding = {g.padding.top - far.top, g.padding.left - far.left, g.padding.bottom - far.bottom,
               g.padding.right - far.right};
  return g;
}

Slot padded_source(Lowering& l, ValueId id, const Slot& x, const Padding& far) {
  if (far == Padding(0)) return x;
  const Slot wide = l.new_slot({x.shape.n(), x.shape.c(), x.shape.h() + far.top + far.bottom,
                                x.shape.w() + far.left + far.right},
                               x.block);
  l.step(id, "pad", {x.buffer, wide.buffer},
         [=](const Frame& f) { pad(f.view(x), PadMode::zero, far.top, far.left, f.view(wide)); });
  return wide;
}

void lower_onednn(Lowering& l, ValueId id, const op::Conv& conv, ConvGeometry geometry,
                  const JoinedGroups& groups, const Activation& activation, const Slot& before) {
  const ValueId x = l.node(id).inputs[0];
  const ConvExtras extras{.bias = conv.bias, .residual = conv.add, .activation = activation};
  const bool one_by_one = !l.value(x).dense() || !before.dense();
  const std::int64_t images = std::exchange(geometry.n, one_by_one ? 1 : geometry.n);
  const Padding far = far_padding(geometry);
  const ConvPassChoice pass = choose_pass(without(far, geometry), ConvPass::forward, extras,
                                          l.value(x).block == 1, l.node(id).name);
  const Slot source =
      one_by_one ? l.value_in(x, pass.src_block) : l.dense_value_in(x, pass.src_block);
  const Slot src = padded_source(l, id, source, far);
  const bool direct = pass.dst_block == before.block && before.unbroken();
  const Slot dst = direct ? before : l.new_slot(before.shape, pass.dst_block);
  const Slot residual = conv.add ? l.dense_value_in(l.node(id).inputs[1], pass.dst_block) : Slot{};
  const auto packed = pack(l, id, pass.kernel, groups);
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, pass.kernel->implementation(), {src.buffer, dst.buffer, residual.buffer, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           const View from = f.view(src), to = f.view(dst), plus = f.view(residual);
           const std::int64_t runs = one_by_one ? images : 1;
           for (std::int64_t n = 0; n < runs; ++n) {
             kernel->run(
                 {.src = from.data + n * from.batch_stride,
                  .packed = packed->current(),
                  .bias = bias == nullptr ? nullptr : const_cast<float*>(bias->value.data()),
                  .dst = to.data + n * to.batch_stride,
                  .residual = plus.data == nullptr ? nullptr : plus.data + n * plus.batch_stride,
                  .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
           }
         });
  if (!direct) {
    l.step(id, "reorder", {dst.buffer, before.buffer},
           [=](const Frame& f) { reorder(f.view(dst), f.view(before), false); });
  }
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::Conv& conv) {
  const ConvGeometry geometry = geometry_of(conv, l.shape(l.node(id).inputs[0]), l.shape(id));
  if (l.separable(id) != nullptr) return lower_separable(l, id);
  if (l.spread(id) != nullptr) return lower_spread(l, id);
  if (is_depthwise(geometry)) return lower_depthwise(l, id, conv, geometry);
  const Slot y =
      l.only_pooled(id) ? Slot{.shape = l.shape(id), .block = vector_block()} : l.value(id);
  const Activation activation = l.activation(id);
  // In training the result must tell the derivative.
  const bool fused = l.training() ? can_fuse(activation) : keeps_zero(activation);
  const Slot before = fused ? y : l.new_slot(y.shape, y.block);
  const Activation inside = fused ? activation : Activation{};
  const JoinedGroups groups =
      l.training() ? JoinedGroups() : JoinedGroups(geometry, vector_block());
  const ConvGeometry joined = groups.joined(geometry);
  if (winograd_pays(l, geometry)) {
    lower_winograd(l, id, conv, geometry, inside, before);
  } else if (!l.training() && is_narrow(geometry)) {
    lower_narrow(l, id, conv, geometry, inside, before);
  } else if (direct_pays(l, id, joined, ConvPass::forward)) {
    lower_direct(l, id, conv, joined, groups, inside, before);
  } else {
    lower_onednn(l, id, conv, joined, groups, inside, before);
  }
  if (!fused) {
    l.keep_before_activation(id, before);
    l.step(id, activation_name(activation.kind), {before.buffer, y.buffer},
           [=](const Frame& f) { activate(f.view(before), activation, f.view(y)); });
  }
}

void lower_backward(Lowering& l, ValueId id, const op::Conv& conv) {
  const ValueId x = l.node(id).inputs[0];
  const Slot dy = gradient_before_activation(l, id, l.activation(id), true);
  if (conv.add && l.wants_gradient(l.node(id).inputs[1])) {
    const auto target = l.gradient_target(l.node(id).inputs[1], dy.block);
    l.step(id, "residual gradient", {dy.buffer, target.slot.buffer},
           [=](const Frame& f) { copy(f.view(dy), f.view(target.slot), target.add); });
    l.finish(target);
  }
  const ConvGeometry geometry = geometry_of(conv, l.shape(x), l.shape(id));
  if (is_depthwise(geometry)) return lower_depthwise_backward(l, id, conv, geometry, dy);
  const bool plain_source = l.value(x).block == 1;
  if (l.learns(id)) {
    emit_weight_gradient(l, id, geometry, {.value = x, .other = dy, .value_is_src = true},
                         conv.bias, plain_source);
  }
  if (l.wants_gradient(x)) {
    emit_data_gradient(l, id, geometry, ConvPass::backward_data, dy, x);
  }
}

}  // namespace segmentum::cpu
